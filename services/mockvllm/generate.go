package mockvllm

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// generation is one request on its way through the engine: one sequence for each choice.
type generation struct {
	api    api
	head   protocol.Head
	common *protocol.Common
	works  []protocol.Work
	seqs   []*engine.Sequence
	wake   chan struct{}
}

// api is how one of the interfaces for answers speaks.
type api struct {
	id     string // prefix of ids
	body   func(protocol.Head, []protocol.Choice, protocol.Usage) []byte
	frames func(protocol.Head, *protocol.Common, func(frame []byte)) protocol.Frames
	refuse func(http.ResponseWriter, *protocol.Error)
}

var (
	chatAPI     = api{"chatcmpl-", protocol.ChatBody, protocol.NewChatStream, refuse}
	textAPI     = api{"cmpl-", protocol.CompletionBody, protocol.NewTextStream, refuse}
	messagesAPI = api{"chatcmpl-", protocol.MessageBody, protocol.NewMessageStream, refuseMessages}
)

// request is a decoded one that asks for answers.
type request interface {
	Plan(protocol.Model) ([]protocol.Work, *protocol.Error)
	Shared() *protocol.Common
}

// generates makes the handler of an interface.
func generates[R request](s *Server, a api, decode func(contentType string, body []byte) (R, *protocol.Error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := readBody(w, r)
		if !ok {
			return
		}
		req, err := decode(r.Header.Get("Content-Type"), body)
		if err == nil {
			err = s.known(req.Shared().Model)
		}
		if err == nil {
			common := *req.Shared() // not a pointer into the request, which would keep all of its texts
			g := &generation{api: a, head: s.head(r, a.id, common.RequestID), common: &common}
			if g.works, err = req.Plan(s.model); err == nil {
				s.generate(w, r, g)
				return
			}
		}
		a.refuse(w, err)
	}
}

// readBody returns false when the client left before its body was there; then there is nobody to answer.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.Header().Set("Connection", "close")
		return nil, false
	}
	return body, true
}

// known refuses a model that is not served. No model is the first one.
func (s *Server) known(model string) *protocol.Error {
	if model == "" {
		return nil
	}
	for _, name := range s.cfg.ServedNames {
		if name == model {
			return nil
		}
	}
	return protocol.UnknownModel(model, s.cfg.ServedNames)
}

// head takes the answer's id from the header, the body or nowhere.
func (s *Server) head(r *http.Request, prefix, fromBody string) protocol.Head {
	id := latin1(r.Header.Get("X-Request-Id"))
	if id == "" {
		id = fromBody
	}
	if id == "" {
		id = protocol.NewID()
	}
	journal.Of(r.Context()).Named(id)
	return protocol.Head{ID: prefix + id, Created: time.Now().Unix(), Model: s.cfg.ServedNames[0], Fingerprint: s.fingerprint}
}

// latin1 reads a header as vLLM's web framework does: each byte is a character.
func latin1(header string) string {
	runes := make([]rune, len(header))
	for i := range len(header) {
		runes[i] = rune(header[i])
	}
	return string(runes)
}

func (s *Server) generate(w http.ResponseWriter, r *http.Request, g *generation) {
	if rank, err := strconv.Atoi(r.Header.Get("X-Data-Parallel-Rank")); err == nil && rank != 0 {
		g.api.refuse(w, &protocol.Error{Status: http.StatusBadRequest, Type: protocol.TypeBadRequest,
			Message: fmt.Sprintf("data_parallel_rank %d is out of range [0, 1).", rank)})
		return
	}
	if err := s.submit(g); err != nil {
		w.Header().Del("Vary") // vLLM's outermost handler answers here
		g.api.refuse(w, protocol.Stopping())
		return
	}
	defer s.engine.Abort(g.seqs...)
	if g.common.Stream {
		g.stream(r.Context(), w)
		return
	}
	for !g.over() {
		if !g.wait(r.Context()) {
			return // the client has left
		}
	}
	choices := make([]protocol.Choice, len(g.seqs))
	for i, seq := range g.seqs {
		n, _ := seq.Progress()
		choices[i] = g.works[i].Choice(n)
	}
	journal.Of(r.Context()).Tokens(g.usage().Completion)
	reply(w, http.StatusOK, g.api.body(g.head, choices, g.usage()))
}

func (s *Server) submit(g *generation) (err error) {
	g.wake = make(chan struct{}, 1)
	requests := make([]engine.Request, len(g.works))
	var prefix []engine.Block
	for i := range g.works {
		work := &g.works[i]
		if s.cfg.PrefixCaching && i%g.common.N == 0 { // the choices of a prompt share it
			prefix = engine.Prefix(g.common.CacheSalt, work.Prompt)
		}
		work.Prompt = nil // an answer may take minutes, and a prompt 300 KB
		requests[i] = engine.Request{Prompt: work.PromptTokens, Prefix: prefix, Tokens: len(work.Answer.Deltas),
			Reason: work.Answer.Finish, Wake: g.wake}
	}
	g.seqs, err = s.engine.Submit(requests...)
	return err
}

// wait returns false when ctx ended first.
func (g *generation) wait(ctx context.Context) bool {
	select {
	case <-g.wake:
		return true
	case <-ctx.Done():
		return false
	}
}

func (g *generation) over() bool {
	for _, s := range g.seqs {
		if _, over := s.Progress(); !over {
			return false
		}
	}
	return true
}

// usage counts each prompt once, however many answers it has.
func (g *generation) usage() protocol.Usage {
	var u protocol.Usage
	for i, s := range g.seqs {
		n, _ := s.Progress()
		u.Completion += n
		if i%g.common.N == 0 {
			u.Prompt += g.works[i].PromptTokens
		}
	}
	return u
}
