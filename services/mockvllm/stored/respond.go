package stored

import (
	"bytes"
	"context"
	"math"
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/answers"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/life"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/models"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/responses"
)

// Responses are those of one server.
type Responses struct {
	answers *answers.Answers
	life    *life.Life
	clock   clock.Clock
	model   *request.Model
	models  *models.Models
	store   *store // nil without one
	tasks   *tasks
}

// New makes the handlers, with a store or without. Stop has to be called in the end.
func New(a *answers.Answers, d answers.Deps, keep bool) *Responses {
	s := &Responses{answers: a, life: d.Life, clock: d.Clock, model: d.Model, models: d.Models, tasks: newTasks()}
	if keep {
		s.store = newStore(storeSize)
	}
	return s
}

// Stop ends what runs in the background, and waits for that.
func (s *Responses) Stop() { s.tasks.stop() }

// Respond answers a request for a response, and keeps the answer where there is a store.
func (s *Responses) Respond(w http.ResponseWriter, r *http.Request) {
	body, ok := fastapi.ReadBody(w, r)
	if !ok || s.life.Mute(r.Context()) {
		return
	}
	g, asked, err := s.responding(r, body)
	if err != nil {
		fastapi.Refuse(w, err)
		return
	}
	if s.store == nil || !asked.Stored() {
		s.answers.Send(w, r, g)
		return
	}
	k := &kept{id: g.Head.ID, left: asked.History(), prompt: len(asked.Work.Prompt.Text)}
	if !asked.Background() {
		g.Asking = keeping{asked, func() {
			k.body, k.left = asked.Whole(), asked.History()
			s.store.put(k)
		}}
		s.answers.Send(w, r, g)
		return
	}
	g.Asking = keeping{asked, func() { s.store.finish(k, asked.Whole(), asked.History()) }}
	k.status, k.body, k.ended = queued, asked.Pending(g.Head, queued), asked.Pending(g.Head, cancelled)
	s.later(w, r, g, k)
}

func (s *Responses) responding(r *http.Request, body []byte) (*answers.Request, *responses.Request, *protocol.Error) {
	v, _, err := protocol.Decode(answers.Responses.Schema, r.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, nil, err
	}
	asked := responses.Read(v, s.model)
	if err := s.models.Check(asked.Model); err != nil {
		s.answers.LogUnknown(answers.Responses.Logs, err)
		return nil, nil, err
	}
	if err := asked.Storable(s.store != nil); err != nil {
		return nil, nil, err
	}
	if id, given := asked.Previous(); given {
		if err := s.answers.Admit(1); err != nil { // which Prepare asks too, but vLLM before it looks for the response
			return nil, nil, err
		}
		before := s.store.get(id)
		if before == nil {
			return nil, nil, responses.NotFound(id)
		}
		asked.Continue(s.store.history(before))
	}
	g, err := s.answers.Prepare(answers.Responses, r, asked)
	return g, asked, err
}

// keeping is a request whose answer is told once it is whole.
type keeping struct {
	*responses.Request
	whole func()
}

// AppendBody is for asking.
func (k keeping) AppendBody(b []byte, h protocol.Head, outs []*generation.Output, u protocol.Usage, t *protocol.Timing) []byte {
	b = k.Request.AppendBody(b, h, outs, u, t)
	k.whole()
	return b
}

// Frames is for asking.
func (k keeping) Frames(h protocol.Head, emit func(frame []byte)) request.Frames {
	f := &keepingFrames{emit: emit, whole: k.whole}
	f.Frames = k.Request.Frames(h, f.pass)
	return f
}

type keepingFrames struct {
	request.Frames
	emit   func(frame []byte)
	whole  func()
	ending bool
	last   [][]byte
}

func (k *keepingFrames) pass(frame []byte) {
	if k.ending {
		k.last = append(k.last, bytes.Clone(frame))
		return
	}
	k.emit(frame)
}

// End is for request.Frames. The answer is kept before its end is told: a client may ask for it at once.
func (k *keepingFrames) End(u protocol.Usage, t *protocol.Timing) {
	k.ending = true
	k.Frames.End(u, t)
	k.whole()
	for _, frame := range k.last {
		k.emit(frame)
	}
}

// later makes a response in the background. What goes wrong with it then, nobody is told: as in vLLM it stays queued.
func (s *Responses) later(w http.ResponseWriter, r *http.Request, g *answers.Request, k *kept) {
	log := newEventLog()
	if g.Common.Stream {
		k.log = log
	}
	pending := k.body
	started := make(chan struct{})
	timer := s.clock.NewTimer()
	timer.Hold()
	k.cancel = s.tasks.start(func(ctx context.Context) {
		<-started
		defer timer.Stop()
		defer func() {
			if broken := recover(); broken != nil && broken != http.ErrAbortHandler { //nolint:errorlint // net/http compares so too
				panic(broken)
			}
		}()
		s.answers.Send(log, r.WithContext(context.WithValue(ctx, clock.TimerKey{}, timer)), g)
	})
	s.store.put(k)
	close(started)
	if g.Common.Stream {
		s.follow(w, r, log, 0)
		return
	}
	fastapi.Reply(w, http.StatusOK, pending)
}

// Retrieve tells a stored response, or the events of one that was streamed in the background.
func (s *Responses) Retrieve(w http.ResponseWriter, r *http.Request) {
	q := fastapi.QueryOf(r)
	after := q.Between("starting_after", -1, math.MinInt, math.MaxInt-1)
	stream := q.Truth("stream", false)
	if q.Refused(w) {
		return
	}
	k := s.store.get(r.PathValue("response_id"))
	switch {
	case k == nil:
		fastapi.Refuse(w, responses.NotFound(r.PathValue("response_id")))
	case stream:
		s.follow(w, r, k.log, after+1)
	default:
		fastapi.Reply(w, http.StatusOK, s.store.read(k))
	}
}

// Cancel ends a response that runs in the background.
func (s *Responses) Cancel(w http.ResponseWriter, r *http.Request) {
	k := s.store.get(r.PathValue("response_id"))
	if k == nil {
		fastapi.Refuse(w, responses.NotFound(r.PathValue("response_id")))
		return
	}
	if !s.store.cancelled(k) {
		fastapi.Refuse(w, responses.Finished())
		return
	}
	k.cancel()
	fastapi.Reply(w, http.StatusOK, s.store.read(k))
}

// follow sends the events of a response from one on, as they come, until the response is whole. Like Python's lists it counts
// backwards below 0. Where there is no such event, or none at all, the stream breaks off, as in vLLM.
func (s *Responses) follow(w http.ResponseWriter, r *http.Request, log *eventLog, next int) {
	entry := journal.Of(r.Context())
	entry.Streams()
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out := answers.NewFrames(w, entry)
	if log == nil {
		panic(http.ErrAbortHandler)
	}
	for out.Err == nil {
		events, grown := log.read()
		for ; next < len(events) && out.Err == nil; next++ {
			at := next
			if at < 0 {
				at += len(events)
			}
			if at < 0 {
				panic(http.ErrAbortHandler)
			}
			out.Send(events[at])
			if bytes.HasPrefix(events[at], []byte("event: response.completed\n")) {
				out.Done()
				return
			}
		}
		clock.Rest(r.Context())
		select {
		case <-grown:
		case <-r.Context().Done():
			return
		case <-s.tasks.ended:
			panic(http.ErrAbortHandler)
		}
	}
}
