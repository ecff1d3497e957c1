// Package metrics is what GET /metrics of vLLM 0.32 says: the same families in the same order with the same help, labels,
// buckets and spelling of numbers as prometheus_client for Python writes them.
//
//	metrics.go      Options, New, and what the API server counts
//	table.go        vLLM's families
//	step.go         what the engine counts
//	http.go         the instrumentator's families and its middleware
//	process.go      python_ and process_ families
//	cacheconfig.go  the labels of vllm:cache_config_info
//	series.go       counters, gauges, histograms and summaries
//	sleep.go        how far the engines are awake
//	text.go         how they are written, float.go how numbers are
//	serve.go        GET /metrics, and the handler behind it that reads Accept
//
// client_golang has neither the order nor the _created families nor the spelling, and sorts where Python does not.
package metrics
