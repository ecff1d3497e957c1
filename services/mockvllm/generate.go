package mockvllm

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// generates makes the handler of an interface.
func (s *Server) generates(a api) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := fastapi.ReadBody(w, r)
		if !ok || s.life.Mute(r.Context()) {
			return
		}
		g, err := s.asked(a, r, body)
		if err != nil {
			a.refuse(w, err)
			return
		}
		s.generate(w, r, g)
	}
}

// asked decodes a request and makes the checks that come before anything is answered.
func (s *Server) asked(a api, r *http.Request, body []byte) (*answering, *protocol.Error) {
	v, _, err := protocol.Decode(a.schema, r.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, err
	}
	asked, err := a.read(v, s.model)
	if err != nil {
		return nil, err
	}
	return s.answering(a, r, asked)
}

// answering looks for the model and makes the prompts.
func (s *Server) answering(a api, r *http.Request, asked asking) (*answering, *protocol.Error) {
	g := &answering{api: a, asking: asked, common: asked.Shared()}
	served, adapter, err := s.models.Find(g.common.Model)
	if err != nil {
		return nil, err
	}
	if err = s.admit(int(g.common.N)); err != nil {
		return nil, err
	}
	if g.works, err = asked.Works(); err != nil {
		return nil, err
	}
	if adapter != nil {
		g.adapter = adapter.Name
	}
	g.head, g.named = s.head(r, a.id, served, g.common.RequestID)
	return g, nil
}

// admit turns away what the queue limits leave no place for, and everything once the server ends.
func (s *Server) admit(n int) *protocol.Error {
	err := s.engine.Admit(n)
	if s.life.Dead() {
		return protocol.Dead()
	}
	if s.engine.Refusing() {
		return protocol.Stopping()
	}
	if err == nil {
		return nil
	}
	var full *engine.OverloadError
	if errors.As(err, &full) {
		limit := metrics.MaxQueuedRequests
		if full.Reason == engine.QueuedTokens {
			limit = metrics.MaxQueuedTokens
		}
		s.metrics.Rejected(limit)
		return protocol.Busy()
	}
	return nil
}

// head takes the answer's id from the header, the body or nowhere, and tells whether the client gave it. The id of a
// response, which has no prefix, is not made of the header's.
func (s *Server) head(r *http.Request, prefix, served string, fromBody *string) (h protocol.Head, named bool) {
	h = s.newHead(served)
	h.Fingerprint = s.fingerprint
	id := ""
	if header := r.Header.Values("X-Request-Id"); len(header) > 0 && prefix != "" {
		id, named = fastapi.Latin1(header[0]), true
	} else if fromBody != nil {
		id, named = *fromBody, prefix != ""
	} else {
		id = protocol.NewID()
	}
	journal.Of(r.Context()).Named(id)
	h.ID = prefix + id
	return h, named
}

// newHead is that of an answer without an id.
func (s *Server) newHead(served string) protocol.Head {
	return protocol.Head{Created: time.Now().Unix(), Model: served}
}

func (s *Server) generate(w http.ResponseWriter, r *http.Request, g *answering) {
	if g.common.Stream {
		s.stream(w, r, g)
	} else {
		s.whole(w, r, g)
	}
}

// whole sends an answer once it is over.
func (s *Server) whole(w http.ResponseWriter, r *http.Request, g *answering) {
	if err := s.submit(r, g); err != nil {
		g.api.refuse(w, err)
		return
	}
	defer s.release(g)
	for !g.over() {
		if !g.wait(r.Context()) {
			return // the client has left
		}
	}
	switch {
	case s.life.Mute(r.Context()):
		return
	case s.life.Dead():
		journal.Of(r.Context()).Broken(journal.ByServer)
		g.api.refuse(w, s.life.Failed(g.head.ID))
		return
	}
	g.tellAborted(r.Context())
	outs := make([]*generation.Output, len(g.seqs))
	for i, seq := range g.seqs {
		n, _ := seq.Progress()
		outs[i] = g.answer(i).Read().Next(n, true)
	}
	usage := s.usage(g)
	journal.Of(r.Context()).Tokens(usage.Completion)
	if g.api.load {
		s.reportLoad(w.Header(), r.Header.Get("Endpoint-Load-Metrics-Format"))
	}
	body := g.asking.Body(g.head, outs, usage, s.timing(g))
	s.countCalls(g)
	fastapi.Reply(w, http.StatusOK, body)
}

// countCalls counts the runs of the tool parser. Anthropic's messages are chats inside of vLLM.
func (s *Server) countCalls(g *answering) {
	c := metrics.ToolCall{Streaming: g.common.Stream, API: "chat_completions"}
	if g.api.schema == responsesAPI.schema {
		c.API = "responses"
	}
	s.metrics.ParsedTools(c, g.common.Parsed.Uncalled)
	c.Called = true
	s.metrics.ParsedTools(c, g.common.Parsed.Called)
}

// reportLoad tells the load in a header, as ORCA wants it: https://github.com/cncf/xds, orca_load_report.proto.
func (s *Server) reportLoad(h http.Header, format string) {
	load := s.engine.Load()
	waiting, usage := pyjson.Float(float64(load.Waiting)), pyjson.Float(load.CacheUsage)
	switch strings.ToLower(format) {
	case "text":
		h.Set("endpoint-load-metrics", "TEXT named_metrics.num_requests_waiting="+waiting+", named_metrics.kv_cache_usage_perc="+usage)
	case "json":
		h.Set("endpoint-load-metrics", `JSON {"named_metrics": {"num_requests_waiting": `+waiting+`, "kv_cache_usage_perc": `+usage+`}}`)
	}
}
