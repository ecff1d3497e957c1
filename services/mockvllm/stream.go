package mockvllm

import (
	"context"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// stream sends what the engine delivers, one frame for each token, until all sequences are over or the client has left.
func (g *generation) stream(ctx context.Context, w http.ResponseWriter) {
	entry := journal.Of(ctx)
	entry.Streams()
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	out := &frames{w: w, rc: http.NewResponseController(w), entry: entry}
	out.flush() // vLLM sends the head before the first token
	s := &streaming{generation: g, out: out, frames: g.api.frames(g.head, g.common, out.send), sent: make([]int, len(g.seqs))}
	for s.open = len(g.seqs); s.open > 0 && out.err == nil; {
		if !g.wait(ctx) {
			return
		}
		s.progress()
	}
	s.frames.Close(g.usage())
	out.done()
}

// frames writes each frame as one chunk, until the client has left.
type frames struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	entry  *journal.Entry
	tokens int       // ready, and in no frame yet
	last   time.Time // right before the last write
	err    error
}

func (f *frames) send(frame []byte) {
	if f.err != nil {
		return
	}
	f.last = time.Now()
	if _, f.err = f.w.Write(frame); f.err == nil {
		f.flush()
	}
	if f.err == nil && string(frame) != protocol.Done {
		f.entry.Chunk(f.last, f.tokens)
		f.tokens = 0
	}
}

// done tells the journal, once all was sent.
func (f *frames) done() {
	if f.err == nil {
		f.entry.Done(f.last)
	}
}

func (f *frames) flush() { f.err = f.rc.Flush() }

// streaming is how far the stream of a generation is.
type streaming struct {
	*generation
	out    *frames
	frames protocol.Frames
	began  bool
	open   int   // sequences whose end was not sent
	sent   []int // tokens sent of each sequence; -1 once its end was sent
}

// progress sends all tokens that are new.
func (s *streaming) progress() {
	for i, seq := range s.seqs {
		n, over := seq.Progress()
		if s.sent[i] < 0 || n == s.sent[i] && !over {
			continue
		}
		if !s.began {
			s.began = true
			s.frames.Open(len(s.seqs), s.works[i].PromptTokens)
		}
		last := n
		if over && n == len(s.works[i].Answer.Deltas) {
			last-- // the last token comes with the finish reason
		}
		for ; s.sent[i] < last; s.sent[i]++ {
			s.out.tokens++
			s.frames.Token(i, s.works[i], s.sent[i])
		}
		if over {
			s.out.tokens += n - last
			s.frames.Finish(i, s.works[i], n)
			s.sent[i] = -1
			s.open--
		}
	}
}
