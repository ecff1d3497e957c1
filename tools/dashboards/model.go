package main

// Selections of the Model dashboard: the gateway's series, those of chosen backends, and those of the model's servers.
const (
	ofModel   = `model="$model"`
	ofBackend = `model="$model",backend=~"$backend"`
	ofServer  = `model_name="$served_name",instance=~"$server"`
)

// model answers what is wrong with one model, the gateway's view beside that of the servers.
func model() board {
	return board{
		uid: "fluidmcp-model", title: "FluidMCP Model",
		about: "One model: what its clients see, what its servers say of themselves, and what became of them.",
		variables: []variable{
			{name: "model", label: "Model", query: "label_values(fluidmcp_model_info, model)"},
			{name: "backend", label: "Backend", query: `label_values(fluidmcp_backend_up{model="$model"}, backend)`, many: true},
			{name: "served_name", label: "Served name", query: `label_values(fluidmcp_model_info{model="$model"}, served_name)`},
			{name: "server", label: "Model server", query: `label_values(vllm:num_requests_running{model_name="$served_name"}, instance)`, many: true},
		},
		links: []link{
			{"Fleet", "All models", "/d/fluidmcp-fleet/?var-datasource=${datasource}"},
			toDocs(),
		},
		events: restarts(ofModel, " and on (instance) vllm:num_requests_running{"+ofServer+"}"),
		rows: []row{
			{"Is it well?", modelHealth()},
			{"Traffic and errors", modelTraffic()},
			{"Time to first token", modelFirstToken()},
			{"Whole answers and tokens", modelAnswers()},
			{"Model server", append(modelServer(), modelRequests()...)},
			{"Backends and their lives", modelBackends()},
		},
	}
}

func modelHealth() []panel {
	return []panel{
		{kind: number, title: "Ready servers", unit: "none", width: 3, height: 4, limits: []limit{{0, bad}, {1, good}}, empty: "none",
			about:   "Backends of the model that take requests and answered last. With none, every request is answered 503.",
			queries: []query{{expr: "sum(max by (backend) (fluidmcp_backend_up{" + ofModel + "}))", name: "ready"}}},
		{kind: number, title: "Requests", unit: "reqps", width: 3, height: 4, limits: noLimits,
			about:   "Inference requests a second that ended, whatever their status.",
			queries: []query{{expr: rate("model", "fluidmcp_requests_total", ofModel), name: "requests"}}},
		{kind: number, title: "Failed", unit: "percentunit", width: 3, height: 4, limits: failedLimits, empty: "no traffic",
			about:   "Share of valid requests of the last five minutes that failed.",
			queries: []query{{expr: "model:fluidmcp_requests_failed:ratio_rate5m{" + ofModel + "}", name: "failed"}}},
		{kind: number, title: "Burn rate", unit: "none", width: 3, height: 4, limits: burnLimits, empty: "no traffic",
			about:   "How many times faster than the objective allows the error budget was used up in the last hour. 1 just lasts the month.",
			queries: []query{{expr: burning("1h", ofModel), name: "burn rate"}}},
		{kind: number, title: "First token, p95", unit: "s", width: 3, height: 4, limits: slowLimits, empty: "no streams",
			about:   "19 of 20 streams had their first token sooner; the objective is 2.5 s.",
			queries: []query{{expr: present(quantile("0.95", "", "fluidmcp_time_to_first_token_seconds", ofModel)), name: "p95"}}},
		{kind: number, title: "Answer tokens", unit: "cps", width: 3, height: 4, limits: noLimits,
			about:   "Tokens a second that the model wrote.",
			queries: []query{{expr: rate("type", "fluidmcp_tokens_total", `type="completion",`+ofModel), name: "tokens"}}},
		{kind: number, title: "In flight", unit: "none", width: 3, height: 4, limits: noLimits,
			about:   "Requests at the model's servers now, as the gateways count them.",
			queries: []query{{expr: "sum(fluidmcp_inflight_requests{" + ofModel + "})", name: "in flight"}}},
		{kind: number, title: "Waiting", unit: "none", width: 3, height: 4, limits: []limit{{0, good}, {1, worse}}, empty: "not scraped",
			about:   "Requests that wait in the model's servers, as vLLM counts them. Models that share a server share its queue.",
			queries: []query{{expr: "sum(vllm:num_requests_waiting{" + ofServer + "})", name: "waiting"}}},
	}
}

func modelTraffic() []panel {
	return []panel{
		{kind: stack, title: "Requests by status", unit: "reqps", width: 8, height: 8,
			about:   "The statuses that clients got; 499 is a client that left. A stream that broke off later has a 200 here.",
			queries: []query{{expr: rate("code", "fluidmcp_requests_total", ofModel), name: "{{code}}"}}},
		{kind: bars, title: "Errors by reason", unit: "reqps", width: 8, height: 8,
			about:   "Requests that failed, those that count against the objective and those that clients caused. docs/metrics.md says what each reason means.",
			queries: []query{{expr: rate("reason", "fluidmcp_errors_total", ofModel), name: "{{reason}}"}}},
		{kind: lines, title: "Burn rates", unit: "none", width: 8, height: 8, limits: burnLimits, empty: "no traffic",
			about: "How many times faster than the objective allows the error budget is used up. Dashed: 1, 6 and 14.4, from which on alerts fire for three days, six hours and one hour.",
			queries: []query{{expr: burning("5m", ofModel), name: "5 minutes", color: quiet}, {expr: burning("1h", ofModel), name: "1 hour", color: bad},
				{expr: burning("6h", ofModel), name: "6 hours", color: worse}, {expr: burning("3d", ofModel), name: "3 days", color: plain}}},
		{kind: stack, title: "Waiting at the gateway", unit: "none", width: 8, height: 8,
			about:   "Requests that wait at the gateways for their turn at the model, when it has limits.inflight.",
			queries: []query{{expr: "sum by (model) (fluidmcp_queued_requests{" + ofModel + "})", name: "waiting"}}},
		{kind: lines, title: "Wait for a turn", unit: "s", width: 8, height: 8, empty: "no traffic",
			about: "How long requests waited at the gateways for their turn at the model.",
			queries: []query{{expr: quantile("0.5", "", "fluidmcp_queue_wait_seconds", ofModel), name: "p50", color: plain},
				{expr: quantile("0.95", "", "fluidmcp_queue_wait_seconds", ofModel), name: "p95", color: worse}}},
		{kind: bars, title: "Over their limits", unit: "reqps", width: 8, height: 8,
			about:   "Requests that were refused for a limit of their key.",
			queries: []query{{expr: rate("limit", "fluidmcp_rate_limited_total", ofModel), name: "{{limit}}"}}},
		{kind: bars, title: "Requests by endpoint", unit: "reqps", width: 8, height: 8,
			about:   "What clients ask for.",
			queries: []query{{expr: rate("endpoint", "fluidmcp_requests_total", ofModel), name: "{{endpoint}}"}}},
		{kind: stack, title: "Ends of streams", unit: "reqps", width: 8, height: 8,
			about:   "How event streams ended. interrupted: the server broke off or fell silent; error: it put an error into the stream.",
			queries: []query{{expr: rate("outcome", "fluidmcp_streams_total", ofModel), name: "{{outcome}}"}}},
		{kind: lines, title: "The gateway's own time", unit: "s", width: 8, height: 8, empty: "no traffic",
			about: "What the gateway itself adds before it begins to answer.",
			queries: []query{{expr: quantile("0.5", "", "fluidmcp_gateway_overhead_seconds", ofModel), name: "p50", color: plain},
				{expr: quantile("0.99", "", "fluidmcp_gateway_overhead_seconds", ofModel), name: "p99", color: bad}}},
	}
}

func modelFirstToken() []panel {
	return []panel{
		{kind: heat, title: "Time to first token", unit: "s", width: 12, height: 8,
			about:   "How long streams waited for their first token, from the request's header on; the stronger the colour, the more.",
			queries: []query{{expr: heatOf("fluidmcp_time_to_first_token_seconds", ofModel), name: "{{le}}"}}},
		{kind: lines, title: "Gateway and server", unit: "s", width: 12, height: 8, limits: slowLimits, empty: "no streams",
			about: "Quantiles of the time to first token as the gateway measures it, and as the servers do for all their requests. A gap between the two is network or a slow client; the same rise in both is the server.",
			queries: []query{{expr: quantile("0.5", "", "fluidmcp_time_to_first_token_seconds", ofModel), name: "gateway p50", color: plain},
				{expr: quantile("0.95", "", "fluidmcp_time_to_first_token_seconds", ofModel), name: "gateway p95", color: worse},
				{expr: quantile("0.99", "", "fluidmcp_time_to_first_token_seconds", ofModel), name: "gateway p99", color: bad},
				{expr: quantile("0.95", "", "vllm:time_to_first_token_seconds", ofServer), name: "server p95", color: other}}},
		{kind: lines, title: "Late first tokens", unit: "percentunit", width: 12, height: 8, empty: "no streams",
			about: "Share of streams that waited more than 2.5 s for their first token, and the share that the objective allows.",
			queries: []query{{expr: "model:fluidmcp_first_tokens_late:ratio_rate5m{" + ofModel + "}", name: "5 minutes", color: quiet},
				{expr: "model:fluidmcp_first_tokens_late:ratio_rate1h{" + ofModel + "}", name: "1 hour", color: plain},
				{expr: "1 - fluidmcp:first_token:objective", name: "objective", color: bad, dashed: true}}},
		{kind: lines, title: "Where the server spends it", unit: "s", width: 12, height: 8, empty: "no traffic",
			about: "Mean time of a request in the server's queue and in reading its prompt. Waiting is cured by more servers, reading by shorter prompts or the prefix cache.",
			queries: []query{{expr: mean("model_name", "vllm:request_queue_time_seconds", ofServer), name: "queue", color: worse},
				{expr: mean("model_name", "vllm:request_prefill_time_seconds", ofServer), name: "prefill", color: plain}}},
	}
}
