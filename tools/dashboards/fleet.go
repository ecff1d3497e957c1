package main

// fleet answers whether anything is wrong, and with which model.
func fleet() board {
	return board{
		uid: "fluidmcp-fleet", title: "FluidMCP Fleet",
		about: "Is anything wrong, and with which model? From the first row down: alerts, models, traffic, latency, model servers, operation.",
		variables: []variable{
			{name: "model", label: "Model", query: "label_values(fluidmcp_model_info, model)", many: true},
		},
		links: []link{
			{"Model", "One model in detail", "/d/fluidmcp-model/?var-datasource=${datasource}"},
			toDocs(),
		},
		events: restarts(`model=~"$model"`, ""),
		rows: []row{
			{"Is anything wrong?", fleetHealth()},
			{"Which model?", fleetModels()},
			{"Traffic and errors", fleetTraffic()},
			{"Latency", fleetLatency()},
			{"Load and tokens", fleetLoad()},
			{"Model servers, as vLLM sees itself", fleetServers()},
			{"Operation", fleetOperation()},
		},
	}
}

func fleetHealth() []panel {
	return []panel{
		{kind: number, title: "Alerts", unit: "none", width: 4, height: 4, limits: anyLimits,
			about:   "Alerts that fire now. The table below says which; each has a section in docs/metrics.md.",
			queries: []query{{expr: `count(ALERTS{alertname=~"FluidMCP.+",alertstate="firing"}) or vector(0)`, name: "firing"}}},
		{kind: number, title: "Models without a server", unit: "none", width: 4, height: 4, limits: anyLimits, empty: "no gateway",
			about:   "Declared models that no gateway has a ready server of, those that people stopped included. Requests for them are answered 503.",
			queries: []query{{expr: "count(count by (model) (fluidmcp_model_info) unless on (model) (max by (model) (fluidmcp_backend_up) == 1)) or 0 * count(fluidmcp_model_info)", name: "models"}}},
		{kind: number, title: "Failed requests", unit: "percentunit", width: 4, height: 4, limits: failedLimits, empty: "no traffic",
			about:   "Share of valid requests of the last five minutes that failed, all models together. Mistakes of clients and clients that left do not count.",
			queries: []query{{expr: "sum(model:fluidmcp_requests_failed:rate5m) / (sum(model:fluidmcp_requests_valid:rate5m) > 0)", name: "failed"}}},
		{kind: number, title: "Worst burn rate", unit: "none", width: 4, height: 4, limits: burnLimits, empty: "no traffic",
			about:   "How many times faster than the objective allows the worst model used up its error budget in the last hour. 1 just lasts the month; from 14.4 on somebody is woken.",
			queries: []query{{expr: burning("1h", ""), name: "burn rate"}}},
		{kind: number, title: "First tokens in time", unit: "percentunit", width: 4, height: 4, share: true, empty: "no streams",
			limits:  []limit{{0, bad}, {.28, "dark-orange"}, {.7, worse}, {.95, good}},
			about:   "Share of streams whose first token came within 2.5 s, over the last hour, of the worst model. The objective is 95 %.",
			queries: []query{{expr: "1 - max(model:fluidmcp_first_tokens_late:ratio_rate1h)", name: "in time"}}},
		{kind: number, title: "Supervisor", unit: "none", width: 4, height: 4, limits: []limit{{0, bad}, {1, good}},
			words: map[string]string{"0": "lost", "1": "connected"}, empty: "no gateway",
			about:   "Whether every gateway is connected to the supervisor. Without it requests go on, but nothing is started, stopped or restarted.",
			queries: []query{{expr: "min(fluidmcp_supervisor_connected)", name: "connected"}}},
		{kind: list, title: "Alerts that fire", unit: "none", width: 24, height: 5, toModel: true, empty: "No alert fires.",
			about:   "What Prometheus has found wrong. Click a model to open it; docs/metrics.md has a section for each alert.",
			queries: []query{{expr: `ALERTS{alertname=~"FluidMCP.+",alertstate="firing"}`}},
			table: table{labels: []column{{label: "severity", title: "Severity"}, {label: "alertname", title: "Alert"}, {label: "model", title: "Model"},
				{label: "model_name", title: "Served name"}, {label: "instance", title: "Where"}, {label: "exported_instance", title: "Server"}, {label: "reason", title: "Reason"}}}},
	}
}

func fleetModels() []panel {
	const of = `model=~"$model"`
	return []panel{{kind: list, title: "Models", unit: "none", width: 24, height: 8, toModel: true, empty: "No model is declared.",
		about: "One line for each model, the one that burns its error budget fastest first; a click on the name opens it. Rates are of the last five minutes.",
		queries: []query{
			{expr: "sum by (model) (max by (model, backend) (fluidmcp_backend_up{" + of + "}))"},
			{expr: "sum by (model) (rate(fluidmcp_requests_total{" + of + "}[5m]))"},
			{expr: "model:fluidmcp_requests_failed:ratio_rate5m{" + of + "}"},
			{expr: "model:fluidmcp_requests_failed:ratio_rate1h{" + of + "} / " + errorBudget},
			{expr: present("histogram_quantile(0.95, sum by (model, le) (rate(fluidmcp_time_to_first_token_seconds_bucket{" + of + "}[5m])))")},
			{expr: present("histogram_quantile(0.95, sum by (model, le) (rate(fluidmcp_request_duration_seconds_bucket{" + of + "}[5m])))")},
			{expr: "sum by (model) (fluidmcp_inflight_requests{" + of + "})"},
			{expr: `sum by (model) (rate(fluidmcp_tokens_total{type="completion",` + of + "}[5m]))"},
			{expr: "sum by (model) (increase(fluidmcp_model_restarts_total{" + of + "}[1h]))"},
		},
		table: table{sort: "Burn rate 1 h", labels: []column{{label: "model", title: "Model"}}, values: []column{
			{title: "Ready servers", limits: []limit{{0, bad}, {1, good}}},
			{title: "Requests/s", unit: "reqps"},
			{title: "Failed", unit: "percentunit", limits: failedLimits},
			{title: "Burn rate 1 h", limits: burnLimits},
			{title: "First token p95", unit: "s", limits: slowLimits},
			{title: "Whole answer p95", unit: "s"},
			{title: "In flight"},
			{title: "Answer tokens/s"},
			{title: "Restarts 1 h", limits: []limit{{0, good}, {.5, worse}}},
		}}}}
}

func fleetTraffic() []panel {
	const of = `model=~"$model"`
	return []panel{
		{kind: stack, title: "Requests by model", unit: "reqps", width: 8, height: 8, toModel: true,
			about:   "Inference requests that ended, whatever their status.",
			queries: []query{{expr: rate("model", "fluidmcp_requests_total", of), name: "{{model}}"}}},
		{kind: lines, title: "Failed requests by model", unit: "percentunit", width: 8, height: 8, toModel: true, empty: "no traffic",
			about: "Share of valid requests that failed within five minutes, and the share that the objective allows.",
			queries: []query{{expr: "model:fluidmcp_requests_failed:ratio_rate5m{" + of + "}", name: "{{model}}"},
				{expr: "1 - fluidmcp:availability:objective", name: "objective", color: bad, dashed: true}}},
		{kind: bars, title: "Errors by reason", unit: "reqps", width: 8, height: 8,
			about:   "Requests that failed and count against the objective. docs/metrics.md says what each reason means.",
			queries: []query{{expr: rate("reason", "fluidmcp_errors_total", failedReasons+","+of), name: "{{reason}}"}}},
		{kind: bars, title: "Mistakes of clients", unit: "reqps", width: 8, height: 8,
			about:   "Requests that were refused for what the client sent, and clients that left before the end. They do not count against the objective; a sudden rise often is a new release of a client.",
			queries: []query{{expr: rate("reason", "fluidmcp_errors_total", clientReasons+","+of), name: "{{reason}}"}}},
		{kind: stack, title: "Ends of streams", unit: "reqps", width: 8, height: 8,
			about: "How event streams ended. interrupted: the server broke off or fell silent; error: it put an error into the stream.",
			queries: []query{{expr: rate("outcome", "fluidmcp_streams_total", `outcome="completed",`+of), name: "{{outcome}}", color: good},
				{expr: rate("outcome", "fluidmcp_streams_total", `outcome="interrupted",`+of), name: "{{outcome}}", color: bad},
				{expr: rate("outcome", "fluidmcp_streams_total", `outcome="error",`+of), name: "{{outcome}}", color: worse},
				{expr: rate("outcome", "fluidmcp_streams_total", `outcome="client_closed",`+of), name: "{{outcome}}", color: quiet}}},
		{kind: bars, title: "Attempts that failed", unit: "reqps", width: 8, height: 8, empty: "none",
			about: "Requests to model servers that were not answered well, and those that were sent to another server for it. The client sees only the last attempt.",
			queries: []query{{expr: rate("outcome", "fluidmcp_upstream_attempts_total", `outcome!="ok",`+of), name: "{{outcome}}"},
				{expr: rate("reason", "fluidmcp_retries_total", of), name: "sent again: {{reason}}"}}},
	}
}

func fleetLatency() []panel {
	const of = `model=~"$model"`
	return []panel{
		{kind: heat, title: "Whole answers", unit: "s", width: 12, height: 8,
			about:   "How long requests took from their header to the end of the answer; the stronger the colour, the more.",
			queries: []query{{expr: heatOf("fluidmcp_request_duration_seconds", of), name: "{{le}}"}}},
		{kind: heat, title: "Time to first token", unit: "s", width: 12, height: 8,
			about:   "How long streams waited for their first token; the stronger the colour, the more.",
			queries: []query{{expr: heatOf("fluidmcp_time_to_first_token_seconds", of), name: "{{le}}"}}},
		{kind: lines, title: "Time to first token, p95 by model", unit: "s", width: 8, height: 8, limits: slowLimits, toModel: true, empty: "no streams",
			about:   "19 of 20 streams had their first token sooner. The dashed line is the objective's 2.5 s.",
			queries: []query{{expr: quantile("0.95", "model, ", "fluidmcp_time_to_first_token_seconds", of), name: "{{model}}"}}},
		{kind: lines, title: "Time between tokens, p95 by model", unit: "s", width: 8, height: 8, toModel: true, empty: "no streams",
			about:   "How smoothly answers flow: 19 of 20 tokens came sooner after the one before.",
			queries: []query{{expr: quantile("0.95", "model, ", "fluidmcp_inter_token_seconds", of), name: "{{model}}"}}},
		{kind: lines, title: "The gateway's own time", unit: "s", width: 8, height: 8, empty: "no traffic",
			about: "What the gateway itself adds before it begins to answer. Milliseconds mean that it lacks CPU.",
			queries: []query{{expr: quantile("0.5", "", "fluidmcp_gateway_overhead_seconds", of), name: "p50", color: plain},
				{expr: quantile("0.99", "", "fluidmcp_gateway_overhead_seconds", of), name: "p99", color: bad}}},
	}
}
