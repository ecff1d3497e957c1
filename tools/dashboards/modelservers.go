package main

func modelAnswers() []panel {
	return []panel{
		{kind: heat, title: "Whole answers", unit: "s", width: 12, height: 8,
			about:   "How long requests took from their header to the end of the answer; the stronger the colour, the more.",
			queries: []query{{expr: heatOf("fluidmcp_request_duration_seconds", ofModel), name: "{{le}}"}}},
		{kind: lines, title: "Time between tokens", unit: "s", width: 12, height: 8, empty: "no streams",
			about: "How smoothly answers flow, as the gateway sees it and as the servers do.",
			queries: []query{{expr: quantile("0.5", "", "fluidmcp_inter_token_seconds", ofModel), name: "gateway p50", color: plain},
				{expr: quantile("0.99", "", "fluidmcp_inter_token_seconds", ofModel), name: "gateway p99", color: bad},
				{expr: quantile("0.99", "", "vllm:inter_token_latency_seconds", ofServer), name: "server p99", color: other}}},
		{kind: lines, title: "Tokens, as told to clients", unit: "cps", width: 8, height: 8,
			about: "Tokens a second that came with answers to the gateway.",
			queries: []query{{expr: rate("type", "fluidmcp_tokens_total", `type="prompt",`+ofModel), name: "{{type}}", color: plain},
				{expr: rate("type", "fluidmcp_tokens_total", `type="completion",`+ofModel), name: "{{type}}", color: other}}},
		{kind: lines, title: "Tokens, as the servers count", unit: "cps", width: 8, height: 8,
			about: "Tokens a second of all requests of the servers, those that nobody waited for included.",
			queries: []query{{expr: rate("model_name", "vllm:prompt_tokens_total", ofServer), name: "prompt", color: plain},
				{expr: rate("model_name", "vllm:generation_tokens_total", ofServer), name: "completion", color: other}}},
		{kind: lines, title: "Length of requests", unit: "none", width: 8, height: 8, empty: "no traffic",
			about: "Tokens of prompts and answers, median and p95. Longer prompts make the first token late, longer answers fill the KV cache.",
			queries: []query{{expr: quantile("0.5", "", "vllm:request_prompt_tokens", ofServer), name: "prompt p50", color: plain},
				{expr: quantile("0.95", "", "vllm:request_prompt_tokens", ofServer), name: "prompt p95", color: "dark-blue"},
				{expr: quantile("0.5", "", "vllm:request_generation_tokens", ofServer), name: "answer p50", color: other},
				{expr: quantile("0.95", "", "vllm:request_generation_tokens", ofServer), name: "answer p95", color: "dark-purple"}}},
	}
}

func modelServer() []panel {
	return []panel{
		{kind: lines, title: "In flight, running, waiting", unit: "none", width: 8, height: 8,
			about: "The gateway's requests beside the server's own. In flight beyond running and waiting is on its way; running without in flight belongs to somebody else.",
			queries: []query{{expr: "sum(fluidmcp_inflight_requests{" + ofModel + "})", name: "in flight at the gateway", color: plain},
				{expr: "sum(vllm:num_requests_running{" + ofServer + "})", name: "running", color: good},
				{expr: "sum(vllm:num_requests_waiting{" + ofServer + "})", name: "waiting", color: bad}}},
		{kind: lines, title: "KV cache in use", unit: "percentunit", width: 8, height: 8, share: true, limits: []limit{{0, good}, {.95, bad}},
			about:   "Share of the KV cache that running requests hold. When it is full, requests wait or are preempted.",
			queries: []query{{expr: "max by (instance) (vllm:kv_cache_usage_perc{" + ofServer + "})", name: "{{instance}}"}}},
		{kind: lines, title: "Prefix cache hits", unit: "percentunit", width: 8, height: 8, share: true, empty: "no prompts",
			about: "Share of prompt tokens that were found in the prefix cache and need not be read again.",
			queries: []query{{expr: "sum by (instance) (rate(vllm:prefix_cache_hits_total{" + ofServer + "}[$__rate_interval])) / sum by (instance) (rate(vllm:prefix_cache_queries_total{" + ofServer + "}[$__rate_interval]))",
				name: "{{instance}}"}}},
	}
}

func modelRequests() []panel {
	return []panel{
		{kind: stack, title: "Where time goes", unit: "s", width: 8, height: 8, empty: "no traffic",
			about: "Mean time of a request in each phase at the server: waiting, reading the prompt, writing the answer.",
			queries: []query{{expr: mean("model_name", "vllm:request_queue_time_seconds", ofServer), name: "queue", color: worse},
				{expr: mean("model_name", "vllm:request_prefill_time_seconds", ofServer), name: "prefill", color: plain},
				{expr: mean("model_name", "vllm:request_decode_time_seconds", ofServer), name: "decode", color: other}}},
		{kind: bars, title: "Why answers ended", unit: "reqps", width: 8, height: 8,
			about:   "stop: the model was done; length: the limit of tokens; abort: the server ended them.",
			queries: []query{{expr: rate("finished_reason", "vllm:request_success_total", ofServer), name: "{{finished_reason}}"}}},
		{kind: bars, title: "Preemptions", unit: "none", width: 8, height: 8,
			about:   "Requests that had to give up their place in the KV cache and begin again. More than now and then means that too many run at a time for the memory.",
			queries: []query{{expr: "sum by (instance) (increase(vllm:num_preemptions_total{" + ofServer + "}[$__rate_interval]))", name: "{{instance}}"}}},
	}
}

func modelBackends() []panel {
	return []panel{
		{kind: lines, title: "Backends up", unit: "none", width: 8, height: 8, share: true,
			about:   "1 for each backend that takes requests and answered last.",
			queries: []query{{expr: "max by (backend) (fluidmcp_backend_up{" + ofBackend + "})", name: "{{backend}}"}}},
		{kind: stack, title: "In flight by backend", unit: "none", width: 8, height: 8,
			about:   "Requests at each backend. One that has many while others have few is slow.",
			queries: []query{{expr: "sum by (backend) (fluidmcp_backend_inflight{" + ofBackend + "})", name: "{{backend}}"}}},
		{kind: bars, title: "Attempts by outcome", unit: "reqps", width: 8, height: 8,
			about: "Requests to backends by how they went, and those that were sent to another backend.",
			queries: []query{{expr: rate("outcome", "fluidmcp_upstream_attempts_total", ofBackend), name: "{{outcome}}"},
				{expr: rate("reason", "fluidmcp_retries_total", ofModel), name: "sent again: {{reason}}"}}},
		{kind: stack, title: "Servers by phase", unit: "none", width: 8, height: 8,
			about:   "What the supervisor says of the model's servers.",
			queries: []query{{expr: "sum by (phase) (fluidmcp_model_phase{" + ofModel + "}) > 0", name: "{{phase}}"}}},
		{kind: bars, title: "Restarts", unit: "none", width: 8, height: 8, empty: "its servers are not started by the supervisor",
			about:   "Starts of the model's servers after their first, by what made them necessary.",
			queries: []query{{expr: "sum by (reason) (increase(fluidmcp_model_restarts_total{" + ofModel + "}[$__rate_interval]))", name: "{{reason}}"}}},
		{kind: lines, title: "Up since", unit: "s", width: 8, height: 8,
			about:   "Time since each server became ready; 0 while it is not.",
			queries: []query{{expr: "max by (exported_instance) (fluidmcp_model_uptime_seconds{" + ofModel + "})", name: "{{exported_instance}}"}}},
		{kind: bars, title: "Rollouts", unit: "none", width: 12, height: 8, empty: "its servers are not started by the supervisor",
			about: "Times that the model's servers were replaced, by how that ended. failed: a server did not come back, and the others were left as they were.",
			queries: []query{{expr: replaced("done"), name: "{{outcome}}", color: good}, {expr: replaced("failed"), name: "{{outcome}}", color: bad},
				{expr: replaced("canceled"), name: "{{outcome}}", color: quiet}}},
		{kind: bars, title: "Retirements", unit: "none", width: 12, height: 8, empty: "its servers are not started by the supervisor",
			about:   "Times that the model, when it is on demand, was told to stop or to sleep. idle: nobody had asked for it; evicted: another model needed its place.",
			queries: []query{{expr: "sum by (reason) (increase(fluidmcp_model_retirements_total{" + ofModel + "}[$__rate_interval]))", name: "{{reason}}"}}},
	}
}

// replaced counts the rollouts with an outcome.
func replaced(outcome string) string {
	return `sum by (outcome) (increase(fluidmcp_model_rollouts_total{outcome="` + outcome + `",` + ofModel + "}[$__rate_interval]))"
}
