// Package metrics is what GET /metrics of vLLM 0.32 says: the same families in the same order with the same help, labels,
// buckets and spelling of numbers. The families themselves, and how they are written, are promclient's.
//
//	metrics.go      Options, New, and what the API server counts
//	table.go        vLLM's families
//	step.go         what the engine counts
//	http.go         the instrumentator's families and its middleware
//	cacheconfig.go  the labels of vllm:cache_config_info
//	devmode.go      how far the engines are awake, and operations of the development mode
//	serve.go        GET /metrics, and what lies behind it
package metrics
