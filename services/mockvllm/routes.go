package mockvllm

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/derender"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/messages"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/tokens"
)

// route is one line of the table. A path may have {names}; handlers read them with PathValue.
type route struct {
	methods, path string // methods as an Allow header lists them
	handler       http.HandlerFunc
	kind          routeKind
}

// routeKind says what else happens to a request.
type routeKind struct {
	generates bool // fault rules without a path apply
	loads     bool // /load counts it while it runs
}

var (
	plain  = routeKind{}
	answer = routeKind{generates: true, loads: true}
)

// routes are all URLs, in the order in which vLLM registers them: the first one of a path names the methods that a 405
// allows.
func (s *Server) routes() []route {
	var all []route
	when := func(on bool, more func() []route) {
		if on {
			all = append(all, more()...)
		}
	}
	generates := s.cfg.Pooling.Task() == ""
	when(!s.cfg.Routes.NoDocs, s.docRoutes)
	when(true, s.instrumentRoutes)
	when(s.cfg.LoRA.Runtime, s.adapterRoutes)
	when(s.cfg.Routes.Profiler, s.profilerRoutes)
	when(true, s.tokenRoutes)
	when(true, s.modelRoutes)
	when(s.cfg.Routes.Dev, s.devRoutes)
	when(generates, s.answerRoutes)
	when(generates, s.scaleOutRoutes)
	when(!generates, s.poolingRoutes)
	when(s.cfg.Routes.FaultTolerance, s.faultToleranceRoutes)
	when(s.cfg.LoRA.Runtime, s.sagemakerAdapterRoutes)
	return append(all, s.ownRoutes()...)
}

func (s *Server) docRoutes() []route {
	return []route{
		{"GET, HEAD", "/openapi.json", s.openAPI, plain},
		{"GET, HEAD", "/docs", s.docs, plain},
		{"GET, HEAD", "/docs/oauth2-redirect", s.docsRedirect, plain},
		{"GET, HEAD", "/redoc", s.redoc, plain},
	}
}

func (s *Server) instrumentRoutes() []route {
	return []route{
		{"GET", "/load", s.load, plain},
		{"GET", "/version", s.version, plain},
		{"GET", "/kv_event_sources", s.kvEventSources, plain},
		{"GET", "/health", s.life.Health, plain},
		{"GET", "/metrics", s.metrics.ServeHTTP, plain},
	}
}

func (s *Server) tokenRoutes() []route {
	routes := []route{
		{"POST", "/tokenize", s.decoded("TokenizeRequest", tokens.Tokenize, fastapi.Refuse), plain},
		{"POST", "/detokenize", s.decoded("DetokenizeRequest", tokens.Detokenize, fastapi.Refuse), plain},
	}
	if s.cfg.Routes.TokenizerInfo {
		routes = append(routes, route{"GET", "/tokenizer_info", s.tokenizerInfo, plain})
	}
	return routes
}

func (s *Server) modelRoutes() []route {
	invoke := s.invoke
	if s.cfg.Pooling.Task() != "" {
		invoke = s.invokePooling
	}
	return []route{
		{"GET", "/v1/models", s.models, plain},
		{"POST", "/v1/systemone", s.decision, routeKind{loads: true}},
		{"GET", "/ping", fastapi.Empty, plain},
		{"POST", "/ping", fastapi.Empty, plain},
		{"POST", "/invocations", invoke, answer},
	}
}

func (s *Server) answerRoutes() []route {
	return []route{
		{"POST", "/v1/chat/completions", s.generates(chatAPI), answer},
		{"POST", "/v1/chat/completions/batch", s.generates(batchAPI), answer},
		{"POST", "/v1/responses", s.respond, answer},
		{"GET", "/v1/responses/{response_id}", s.retrieve, routeKind{loads: true}},
		{"POST", "/v1/responses/{response_id}/cancel", s.cancelResponse, routeKind{loads: true}},
		{"POST", "/v1/completions", s.generates(textAPI), answer},
		{"POST", "/v1/messages", s.generates(messagesAPI), answer},
		{"POST", "/v1/messages/count_tokens", s.decoded("AnthropicCountTokensRequest", messages.CountTokens, refuseMessages), routeKind{loads: true}},
		{"POST", "/generative_scoring", s.generates(scoringAPI), answer},
		{"POST", "/scale_elastic_ep", s.scale, plain},
		{"POST", "/is_scaling_elastic_ep", s.notScaling, plain},
	}
}

// scaleOutRoutes refuse without the option that turns them on.
func (s *Server) scaleOutRoutes() []route {
	on := s.cfg.Routes.ScaleOut || s.cfg.Routes.TokensOnly
	gate := func(h http.HandlerFunc) http.HandlerFunc {
		if on {
			return h
		}
		return scaleOutOff
	}
	routes := []route{
		{"POST", "/v1/chat/completions/render", gate(s.renders(chatAPI)), plain},
		{"POST", "/v1/messages/render", gate(s.renders(messagesAPI)), plain},
		{"POST", "/v1/completions/render", gate(s.renders(textAPI)), plain},
		{"POST", "/v1/responses/render", gate(s.renders(responsesAPI)), plain},
		{"POST", "/v1/chat/completions/derender", gate(s.derenders("DerenderChatRequest", derender.Chat)), plain},
		{"POST", "/v1/completions/derender", gate(s.derenders("DerenderCompletionRequest", derender.Completion)), plain},
		{"POST", "/inference/v1/generate", gate(s.generates(tokensAPI)), routeKind{on, on}},
		{"POST", "/inference/v1/abort_requests", gate(s.abortByID), plain},
	}
	if s.cfg.Routes.TokensOnly {
		routes = append(routes, route{"POST", "/abort_requests", s.abortByID, plain})
	}
	return routes
}

// What only a mock has. Neither faults nor vLLM's HTTP metrics know of these paths.
const (
	ownPaths     = "/mock/"
	faultsPath   = ownPaths + "faults"
	requestsPath = ownPaths + "requests"
	statsPath    = ownPaths + "stats"
	clockPath    = ownPaths + "clock"
)

func (s *Server) ownRoutes() []route {
	return []route{
		{"GET", faultsPath, s.getFaults, plain},
		{"PUT", faultsPath, s.putFaults, plain},
		{"DELETE", faultsPath, s.deleteFaults, plain},
		{"GET", requestsPath, s.getRequests, plain},
		{"DELETE", requestsPath, s.forgetRequests, plain},
		{"GET", statsPath, s.getStats, plain},
		{"GET", clockPath, s.getClock, plain},
		{"POST", clockPath, s.advanceClock, plain},
	}
}

// handler is all of the server: middlewares from the outside in, then the routes.
func (s *Server) handler() http.Handler {
	t := newRouter(s.routes(), mount{"/metrics", s.metrics.ServeHTTP})
	inner := s.faulty(t.generates(), t)
	return s.logged(s.journaled(s.identified(s.authorized(s.crossOrigin(s.rooted(s.counted(t, s.loading(t, inner))))))))
}
