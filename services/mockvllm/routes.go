package mockvllm

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/answers"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/control"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pooling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/derender"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/tokens"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/scaleout"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/starlette"
)

type route = starlette.Route

var (
	plain  = starlette.Kind{}
	answer = starlette.Kind{Generates: true, Loads: true}
	loads  = starlette.Kind{Loads: true}
	own    = starlette.Kind{Own: true}
)

func on(methods, path string, h http.HandlerFunc, kind starlette.Kind) route {
	return route{Methods: methods, Path: path, Handler: h, Kind: kind}
}

// routes are all URLs, in the order in which vLLM registers them: the first one of a path names the methods that a 405
// allows.
func (s *Server) routes() []route {
	var all []route
	when := func(there bool, more func() []route) {
		if there {
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
		on("GET, HEAD", "/openapi.json", s.docs.OpenAPI, plain),
		on("GET, HEAD", "/docs", s.docs.Docs, plain),
		on("GET, HEAD", "/docs/oauth2-redirect", s.docs.Redirect, plain),
		on("GET, HEAD", "/redoc", s.docs.Redoc, plain),
	}
}

func (s *Server) instrumentRoutes() []route {
	return []route{
		on("GET", "/load", s.operations.Load, plain),
		on("GET", "/version", s.operations.Version, plain),
		on("GET", "/kv_event_sources", s.operations.KVEventSources, plain),
		on("GET", "/health", s.life.Health, plain),
		on("GET", "/metrics", s.metrics.ServeHTTP, plain),
	}
}

func (s *Server) tokenRoutes() []route {
	routes := []route{
		on("POST", "/tokenize", s.decoded("TokenizeRequest", tokens.Tokenize, fastapi.Refuse), plain),
		on("POST", "/detokenize", s.decoded("DetokenizeRequest", tokens.Detokenize, fastapi.Refuse), plain),
	}
	if s.cfg.Routes.TokenizerInfo {
		routes = append(routes, on("GET", "/tokenizer_info", s.operations.TokenizerInfo, plain))
	}
	return routes
}

func (s *Server) modelRoutes() []route {
	return []route{
		on("GET", "/v1/models", s.models.List, plain),
		on("POST", "/v1/systemone", s.operations.Decision, loads),
		on("GET", "/ping", fastapi.Empty, plain),
		on("POST", "/ping", fastapi.Empty, plain),
		on("POST", "/invocations", s.invocations(), answer),
	}
}

func (s *Server) answerRoutes() []route {
	return []route{
		on("POST", "/v1/chat/completions", s.answers.Handler(answers.Chat), answer),
		on("POST", "/v1/chat/completions/batch", s.answers.Handler(answers.Batch), answer),
		on("POST", "/v1/responses", s.responses.Respond, answer),
		on("GET", "/v1/responses/{response_id}", s.responses.Retrieve, loads),
		on("POST", "/v1/responses/{response_id}/cancel", s.responses.Cancel, loads),
		on("POST", "/v1/completions", s.answers.Handler(answers.Text), answer),
		on("POST", "/v1/messages", s.answers.Handler(answers.Messages), answer),
		on("POST", "/v1/messages/count_tokens", s.decoded("AnthropicCountTokensRequest", s.countTokens, s.refuseCount), loads),
		on("POST", "/generative_scoring", s.answers.Handler(answers.Scoring), answer),
		on("POST", "/scale_elastic_ep", s.operations.Scale, plain),
		on("POST", "/is_scaling_elastic_ep", s.operations.IsScaling, plain),
	}
}

// scaleOutRoutes refuse without the option that turns them on.
func (s *Server) scaleOutRoutes() []route {
	open := s.cfg.Routes.ScaleOut || s.cfg.Routes.TokensOnly
	gate := func(h http.HandlerFunc) http.HandlerFunc {
		if open {
			return h
		}
		return scaleout.Off
	}
	routes := []route{
		on("POST", "/v1/chat/completions/render", gate(s.scaleOut.Render(answers.Chat)), plain),
		on("POST", "/v1/messages/render", gate(s.scaleOut.Render(answers.Messages)), plain),
		on("POST", "/v1/completions/render", gate(s.scaleOut.Render(answers.Text)), plain),
		on("POST", "/v1/responses/render", gate(s.scaleOut.Render(answers.Responses)), plain),
		on("POST", "/v1/chat/completions/derender", gate(s.scaleOut.Derender("DerenderChatRequest", derender.Chat)), plain),
		on("POST", "/v1/completions/derender", gate(s.scaleOut.Derender("DerenderCompletionRequest", derender.Completion)), plain),
		on("POST", "/inference/v1/generate", gate(s.answers.Handler(answers.Tokens)), starlette.Kind{Generates: open, Loads: open}),
		on("POST", "/inference/v1/abort_requests", gate(s.scaleOut.Abort), plain),
	}
	if s.cfg.Routes.TokensOnly {
		routes = append(routes, on("POST", "/abort_requests", s.scaleOut.Abort, plain))
	}
	return routes
}

// adapterRoutes are those of VLLM_ALLOW_RUNTIME_LORA_UPDATING.
func (s *Server) adapterRoutes() []route {
	return []route{
		on("POST", "/v1/load_lora_adapter", s.models.LoadAdapter, plain),
		on("POST", "/v1/unload_lora_adapter", s.models.UnloadAdapter, plain),
	}
}

// sagemakerAdapterRoutes do the same by the names of SageMaker.
func (s *Server) sagemakerAdapterRoutes() []route {
	return []route{
		on("POST", "/adapters", s.models.RegisterAdapter, plain),
		on("DELETE", "/adapters/{adapter_name}", s.models.UnregisterAdapter, plain),
	}
}

func (s *Server) poolingRoutes() []route {
	if s.cfg.Pooling.Task() == "classify" {
		return []route{
			on("POST", "/pooling", s.pooling.Handler("PoolingRequest", pooling.Model.Pool), answer),
			on("POST", "/classify", s.pooling.Handler("ClassificationRequest", pooling.Model.Classify), answer),
		}
	}
	score, rerank := s.pooling.Handler("ScoreRequest", pooling.Model.Score), s.pooling.Handler("RerankRequest", pooling.Model.Rerank)
	return []route{
		on("POST", "/pooling", s.pooling.Handler("PoolingRequest", pooling.Model.Pool), answer),
		on("POST", "/v1/embeddings", s.pooling.Handler("EmbeddingRequest", pooling.Model.Embed), answer),
		on("POST", "/v2/embed", s.pooling.Handler("CohereEmbedRequest", pooling.Model.EmbedCohere), answer),
		on("POST", "/score", score, answer),
		on("POST", "/v1/score", score, answer),
		on("POST", "/rerank", rerank, answer),
		on("POST", "/v1/rerank", rerank, answer),
		on("POST", "/v2/rerank", rerank, answer),
	}
}

// devRoutes are those of VLLM_SERVER_DEV_MODE.
func (s *Server) devRoutes() []route {
	return []route{
		on("POST", "/reset_prefix_cache", s.dev.ResetPrefixCache, plain),
		on("POST", "/reset_mm_cache", fastapi.Empty, plain),
		on("POST", "/reset_encoder_cache", fastapi.Empty, plain),
		on("POST", "/collective_rpc", s.dev.CollectiveRPC, plain),
		on("GET", "/server_info", s.dev.ServerInfo, plain),
		on("POST", "/sleep", s.dev.Sleep, plain),
		on("POST", "/release_kv_cache_memory", s.dev.ReleaseCache, plain),
		on("POST", "/wake_up", s.dev.WakeUp, plain),
		on("GET", "/is_sleeping", s.dev.IsSleeping, plain),
		on("POST", "/pause", s.dev.Pause, plain),
		on("POST", "/resume", s.dev.Resume, plain),
		on("POST", "/abort_requests", s.dev.AbortRequests, plain),
		on("GET", "/is_paused", s.dev.IsPaused, plain),
		on("POST", "/init_weight_transfer_engine", s.dev.InitTransfer, plain),
		on("POST", "/shutdown_weight_transfer_engine", s.dev.ShutDownTransfer, plain),
		on("POST", "/start_weight_update", s.dev.Transfer("start"), plain),
		on("POST", "/start_draft_weight_update", s.dev.Transfer("start_draft"), plain),
		on("POST", "/update_weights", s.dev.UpdateTransfer, plain),
		on("POST", "/finish_weight_update", s.dev.FinishTransfer, plain),
		on("POST", "/update_weight_version", s.dev.SetWeightVersion, plain),
		on("GET", "/weight_info", s.dev.WeightInfo, plain),
		on("POST", "/weight_checker", s.dev.CheckWeights, plain),
		on("GET", "/get_world_size", s.dev.WorldSize, plain),
	}
}

// profilerRoutes are there when --profiler-config names a profiler. There is nothing to profile.
func (s *Server) profilerRoutes() []route {
	return []route{
		on("POST", "/start_profile", fastapi.Empty, plain),
		on("POST", "/stop_profile", fastapi.Empty, plain),
	}
}

func (s *Server) faultToleranceRoutes() []route {
	return []route{
		on("POST", "/fault_tolerance/apply", s.operations.ApplyInstruction, plain),
		on("GET", "/fault_tolerance/status", s.operations.FaultStatus, plain),
	}
}

// ownRoutes are those that only a mock has.
func (s *Server) ownRoutes() []route {
	return []route{
		on("GET", control.Paths+"faults", s.control.Faults, own),
		on("PUT", control.Paths+"faults", s.control.PutFaults, own),
		on("DELETE", control.Paths+"faults", s.control.DeleteFaults, own),
		on("GET", control.Paths+"requests", s.control.Requests, own),
		on("DELETE", control.Paths+"requests", s.control.ForgetRequests, own),
		on("GET", control.Paths+"stats", s.control.Stats, own),
		on("GET", control.Paths+"clock", s.control.Clock, own),
		on("POST", control.Paths+"clock", s.control.AdvanceClock, own),
	}
}
