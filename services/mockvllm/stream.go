package mockvllm

import (
	"context"
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// stream sends what the engine delivers, one frame for each token, until all sequences are over or the client has left.
func (g *generation) stream(ctx context.Context, w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	out := &frames{w: w, rc: http.NewResponseController(w)}
	out.flush() // vLLM sends the head before the first token
	s := &streaming{generation: g, out: out, frames: protocol.NewStream(g.head, g.chat, g.common), sent: make([]int, len(g.seqs))}
	for s.open = len(g.seqs); s.open > 0 && out.err == nil; {
		if !g.wait(ctx) {
			return
		}
		s.progress()
	}
	if g.common.Usage {
		out.send(s.frames.Usage(g.usage()))
	}
	out.send([]byte(protocol.Done))
}

// frames writes each frame as one chunk, until the client has left.
type frames struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	err error
}

func (f *frames) send(frame []byte) {
	if f.err != nil {
		return
	}
	if _, f.err = f.w.Write(frame); f.err == nil {
		f.flush()
	}
}

func (f *frames) flush() { f.err = f.rc.Flush() }

// streaming is how far the stream of a generation is.
type streaming struct {
	*generation
	out    *frames
	frames *protocol.Stream
	roles  bool
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
		s.sendRoles()
		last := n
		if over && n == len(s.works[i].Answer.Deltas) {
			last-- // the last token comes with the finish reason
		}
		for ; s.sent[i] < last; s.sent[i]++ {
			s.out.send(s.frames.Delta(i, s.works[i].Answer.Deltas[s.sent[i]], s.soFar(i, s.sent[i]+1)))
		}
		if over {
			s.out.send(s.frames.Finish(i, s.choice(i, last), s.soFar(i, n)))
			s.sent[i] = -1
			s.open--
		}
	}
}

// sendRoles opens all choices of a chat once the first token is there.
func (s *streaming) sendRoles() {
	if s.roles || !s.chat {
		return
	}
	s.roles = true
	for i := range s.seqs {
		s.out.send(s.frames.Role(i, s.soFar(i, 0)))
	}
}

func (s *streaming) soFar(i, tokens int) protocol.Usage {
	return protocol.Usage{Prompt: s.works[i].PromptTokens, Completion: tokens}
}
