package answers

import (
	"slices"
	"strconv"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
)

// flights are the sequences that the engine works on, by the id that the request of their prompt has there.
type flights struct {
	mu   sync.Mutex
	byID map[string][]*engine.Sequence
}

// engineID is the id of prompt i of a request.
func (g *Request) engineID(i int) string {
	switch g.api.Schema {
	case "CompletionRequest", "GenerativeScoringRequest":
		return g.Head.ID + "-" + strconv.Itoa(i)
	case "BatchChatCompletionRequest", "ResponsesRequest":
		return g.Head.ID + "_" + strconv.Itoa(i)
	}
	return g.Head.ID
}

// add takes in what is not over.
func (f *flights) add(g *Request) {
	if g.over() {
		return
	}
	g.flies = true
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byID == nil {
		f.byID = map[string][]*engine.Sequence{}
	}
	for i, seq := range g.seqs {
		id := g.engineID(i / int(g.Common.N))
		f.byID[id] = append(f.byID[id], seq)
	}
}

func (f *flights) remove(g *Request) {
	if !g.flies {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range g.works {
		id := g.engineID(i)
		if len(f.byID[id]) == int(g.Common.N) { // nobody else's
			delete(f.byID, id)
			continue
		}
		left := slices.DeleteFunc(f.byID[id], func(s *engine.Sequence) bool { return slices.Contains(g.seqs, s) })
		if len(left) > 0 {
			f.byID[id] = left
		} else {
			delete(f.byID, id)
		}
	}
}

// of returns the sequences of a request.
func (f *flights) of(id string) []*engine.Sequence {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.byID[id])
}

// release ends what is not over once nobody waits for it.
func (s *Answers) release(g *Request) {
	s.flights.remove(g)
	s.engine.Abort(g.seqs...)
}
