package main

func fleetLoad() []panel {
	const of = `model=~"$model"`
	return []panel{
		{kind: stack, title: "Requests in flight", unit: "none", width: 8, height: 8, toModel: true,
			about:   "Requests that are at model servers now, as the gateways count them.",
			queries: []query{{expr: "sum by (model) (fluidmcp_inflight_requests{" + of + "})", name: "{{model}}"}}},
		{kind: lines, title: "Tokens", unit: "cps", width: 8, height: 8,
			about: "Tokens a second that model servers reported with their answers: read from prompts, and written.",
			queries: []query{{expr: rate("type", "fluidmcp_tokens_total", `type="prompt",`+of), name: "{{type}}", color: plain},
				{expr: rate("type", "fluidmcp_tokens_total", `type="completion",`+of), name: "{{type}}", color: other}}},
		{kind: stack, title: "Answer tokens by model", unit: "cps", width: 8, height: 8, toModel: true,
			about:   "Tokens a second that each model wrote.",
			queries: []query{{expr: rate("model", "fluidmcp_tokens_total", `type="completion",`+of), name: "{{model}}"}}},
		{kind: stack, title: "Waiting at the gateway", unit: "none", width: 12, height: 8, toModel: true,
			about:   "Requests that wait at the gateways for their turn, which only models with limits.inflight make them do.",
			queries: []query{{expr: "sum by (model) (fluidmcp_queued_requests{" + of + "})", name: "{{model}}"}}},
		{kind: bars, title: "Over their limits", unit: "reqps", width: 12, height: 8,
			about: "Requests that were refused: for a limit of their key, and because no turn at the model came.",
			queries: []query{{expr: rate("limit", "fluidmcp_rate_limited_total", of), name: "limit of a key: {{limit}}"},
				{expr: rate("reason", "fluidmcp_errors_total", `reason="queue_full",`+of), name: "{{reason}}", color: bad}}},
	}
}

func fleetServers() []panel {
	return []panel{
		{kind: stack, title: "Running", unit: "none", width: 6, height: 8,
			about:   "Requests that each model server works on now (vllm:num_requests_running).",
			queries: []query{{expr: "sum by (model_name, instance) (vllm:num_requests_running)", name: "{{model_name}} at {{instance}}"}}},
		{kind: stack, title: "Waiting", unit: "none", width: 6, height: 8,
			about:   "Requests that wait in each model server (vllm:num_requests_waiting). A queue that grows means that it gets more than it can do.",
			queries: []query{{expr: "sum by (model_name, instance) (vllm:num_requests_waiting)", name: "{{model_name}} at {{instance}}"}}},
		{kind: lines, title: "KV cache in use", unit: "percentunit", width: 6, height: 8, share: true,
			limits:  []limit{{0, good}, {.95, bad}},
			about:   "Share of the KV cache that running requests hold (vllm:kv_cache_usage_perc). When it is full, requests wait or are preempted.",
			queries: []query{{expr: "max by (model_name, instance) (vllm:kv_cache_usage_perc)", name: "{{model_name}} at {{instance}}"}}},
		{kind: lines, title: "Prefix cache hits", unit: "percentunit", width: 6, height: 8, share: true, empty: "no prompts",
			about: "Share of prompt tokens that were found in the prefix cache and need not be read again.",
			queries: []query{{expr: "sum by (model_name, instance) (rate(vllm:prefix_cache_hits_total[$__rate_interval])) / sum by (model_name, instance) (rate(vllm:prefix_cache_queries_total[$__rate_interval]))",
				name: "{{model_name}} at {{instance}}"}}},
	}
}

func fleetOperation() []panel {
	const of = `model=~"$model"`
	return []panel{
		{kind: stack, title: "Servers by phase", unit: "none", width: 8, height: 8,
			about:   "What the supervisor says of the model servers it knows.",
			queries: []query{{expr: "sum by (phase) (fluidmcp_model_phase{" + of + "}) > 0", name: "{{phase}}"}}},
		{kind: bars, title: "Restarts", unit: "none", width: 8, height: 8, toModel: true, empty: "no server is started by the supervisor",
			about:   "Starts of model servers after their first, by what made them necessary. Servers that the supervisor does not start, such as containers, are not in it; that they began anew is marked on the graphs.",
			queries: []query{{expr: "sum by (model, reason) (increase(fluidmcp_model_restarts_total{" + of + "}[$__rate_interval]))", name: "{{model}}: {{reason}}"}}},
		{kind: lines, title: "Time to start", unit: "s", width: 8, height: 8, toModel: true, empty: "no server was started",
			about:   "Mean time from starting a model server to its being ready, of all starts since the supervisor itself began.",
			queries: []query{{expr: "sum by (model) (fluidmcp_model_start_seconds_sum{" + of + "}) / sum by (model) (fluidmcp_model_start_seconds_count{" + of + "})", name: "{{model}}"}}},
		{kind: bars, title: "Rollouts", unit: "none", width: 12, height: 8, toModel: true, empty: "no server is started by the supervisor",
			about:   "Times that the servers of a model were replaced, for a restart or another command in the models file, by how that ended. failed: a server did not come back, and the others were left as they were.",
			queries: []query{{expr: "sum by (model, outcome) (increase(fluidmcp_model_rollouts_total{" + of + "}[$__rate_interval]))", name: "{{model}}: {{outcome}}"}}},
		{kind: bars, title: "Retirements", unit: "none", width: 12, height: 8, toModel: true, empty: "no server is started by the supervisor",
			about:   "Times that a model on demand was told to stop or to sleep. idle: nobody had asked for it; evicted: another model needed its place. Many evictions mean that models share too few GPUs.",
			queries: []query{{expr: "sum by (model, reason) (increase(fluidmcp_model_retirements_total{" + of + "}[$__rate_interval]))", name: "{{model}}: {{reason}}"}}},
		{kind: lines, title: "Scrape targets", unit: "none", width: 8, height: 8, share: true,
			about:   "1 for each target that Prometheus can read. Of a target at 0 nothing else here can be trusted.",
			queries: []query{{expr: `up{job=~"fluidmcp-gateway|fluidmcp-supervisor|vllm"}`, name: "{{job}} {{instance}}"}}},
		{kind: lines, title: "CPU", unit: "none", width: 8, height: 8,
			about:   "Cores that each process uses.",
			queries: []query{{expr: `rate(process_cpu_seconds_total{job=~"fluidmcp-gateway|fluidmcp-supervisor|vllm"}[$__rate_interval])`, name: "{{job}} {{instance}}"}}},
		{kind: lines, title: "Memory", unit: "bytes", width: 8, height: 8,
			about:   "Resident memory of each process, without that of a GPU.",
			queries: []query{{expr: `process_resident_memory_bytes{job=~"fluidmcp-gateway|fluidmcp-supervisor|vllm"}`, name: "{{job}} {{instance}}"}}},
		{kind: lines, title: "Age of the fleet", unit: "s", width: 12, height: 6,
			about:   "How long ago each gateway last heard from the supervisor; 0 while it is connected.",
			queries: []query{{expr: "fluidmcp_fleet_age_seconds", name: "{{instance}}"}}},
		{kind: list, title: "Versions", unit: "none", width: 12, height: 6, empty: "nothing is scraped",
			about:   "What runs. Two versions of one job mean that a release is under way, or stuck.",
			queries: []query{{expr: "count by (job, version) (fluidmcp_build_info)"}},
			table: table{labels: []column{{label: "job", title: "Program"}, {label: "version", title: "Version"}},
				values: []column{{title: "Processes"}}}},
	}
}
