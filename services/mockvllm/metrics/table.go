package metrics

import (
	"maps"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics/promclient"
)

// Bounds of buckets (vllm/v1/metrics/buckets.py).
var (
	iterationBounds  = []float64{1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384}
	nBounds          = []float64{1, 2, 5, 10, 20}
	preemptionBounds = []float64{1, 2, 3, 4, 5, 10, 20}
	ttftBounds       = []float64{.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560}
	itlBounds        = []float64{.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80}
	lifeBounds       = []float64{.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680}
)

// lengthBounds are 1, 2, 5, 10 and so on, in tokens, up to the context's length.
func lengthBounds(maxLen int) []float64 {
	var bounds []float64
	for decade := 1; ; decade *= 10 {
		for _, step := range []int{1, 2, 5} {
			if step*decade > maxLen {
				return bounds
			}
			bounds = append(bounds, float64(step*decade))
		}
	}
}

// ranked is the same label set of each data-parallel rank.
type ranked []*promclient.Series

// engines is what the engines are observed with.
type engines struct {
	running, waiting, capacity, deferred, kvUsage ranked
	awake, offloaded, discarded                   ranked
	queries, hits                                 ranked // of the prefix cache, in tokens
	preemptions, prompt, generated                ranked
	computed, hit, cached, onDevice               ranked // prompt tokens by where they came from
	success                                       map[string]ranked

	promptLength, answerLength, iteration   ranked
	maxGenerated, n, maxTokens              ranked
	ttft, itl, perToken                     ranked
	life, queue, inference, prefill, decode ranked
	preempted, prefillComputed              ranked
}

// table makes the families that vLLM always has, in the order of its text.
func (b *builder) table(maxLen int) engines {
	var e engines
	const mfu = " per GPU (for Model Flops Utilization calculations)." // all stay 0 without --enable-mfu-metrics
	b.add(promclient.Counter, "estimated_flops_per_gpu", "Estimated number of floating point operations"+mfu)
	b.add(promclient.Counter, "estimated_read_bytes_per_gpu", "Estimated number of bytes read from memory"+mfu)
	b.add(promclient.Counter, "estimated_write_bytes_per_gpu", "Estimated number of bytes written to memory"+mfu)
	b.state(&e)
	b.counters(&e)
	b.admissions()
	b.histograms(&e, lengthBounds(maxLen))
	return e
}

func (b *builder) state(e *engines) {
	e.running = b.add(promclient.Gauge, "num_requests_running", "Number of requests in model execution batches.")
	e.waiting = b.add(promclient.Gauge, "num_requests_waiting", "Number of requests waiting to be processed.")
	reasons := b.by(promclient.Gauge, "num_requests_waiting_by_reason", "Number of waiting requests by reason. Reason labels: "+
		"'capacity' = waiting for scheduling capacity; 'deferred' = deferred by transient constraints (LoRA budget, KV transfer, "+
		"blocked status). Sum of all reasons equals vllm:num_requests_waiting.", "reason", "capacity", "deferred")
	e.capacity, e.deferred = reasons[0], reasons[1]
	sleep := b.by(promclient.Gauge, "engine_sleep_state", "Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is awake; "+
		"weights_offloaded = 1 means sleep level 1; discard_all = 1 means sleep level 2.", "sleep_state", "awake", "weights_offloaded", "discard_all")
	e.awake, e.offloaded, e.discarded = sleep[0], sleep[1], sleep[2]
	e.kvUsage = b.add(promclient.Gauge, "kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.")
}

func (b *builder) counters(e *engines) {
	const external = " from KV connector cross-instance cache sharing, in terms of number of "
	e.queries = b.add(promclient.Counter, "prefix_cache_queries", "Prefix cache queries, in terms of number of queried tokens.")
	e.hits = b.add(promclient.Counter, "prefix_cache_hits", "Prefix cache hits, in terms of number of cached tokens.")
	b.add(promclient.Counter, "external_prefix_cache_queries", "External prefix cache queries"+external+"queried tokens.")
	b.add(promclient.Counter, "external_prefix_cache_hits", "External prefix cache hits"+external+"cached tokens.")
	b.add(promclient.Counter, "mm_cache_queries", "Multi-modal cache queries, in terms of number of queried items.")
	b.add(promclient.Counter, "mm_cache_hits", "Multi-modal cache hits, in terms of number of cached items.")
	e.preemptions = b.add(promclient.Counter, "num_preemptions", "Cumulative number of preemption from the engine.")
	e.prompt = b.add(promclient.Counter, "prompt_tokens", "Number of prefill tokens processed.")
	sources := b.by(promclient.Counter, "prompt_tokens_by_source", "Number of prompt tokens by source.",
		"source", "local_compute", "local_cache_hit", "external_kv_transfer")
	e.computed, e.hit = sources[0], sources[1]
	e.cached = b.add(promclient.Counter, "prompt_tokens_cached", "Number of cached prompt tokens (local + external).")
	e.onDevice = b.by(promclient.Counter, "prompt_tokens_cached_by_source", "Prefix-cache hit tokens by the cache tier that supplied them: "+
		"device (local HBM), host (offloaded to DRAM), disk, p2p (transferred from another vLLM instance) or external_unspecified. "+
		"Counted at admission; sums to vllm:prefix_cache_hits + vllm:external_prefix_cache_hits.",
		"source", "device", "host", "p2p", "disk", "external_unspecified")[0]
	e.generated = b.add(promclient.Counter, "generation_tokens", "Number of generation tokens processed.")
	reasons := []string{"stop", "length", "abort", "error", "repetition"}
	e.success = map[string]ranked{}
	for i, s := range b.by(promclient.Counter, "request_success", "Count of successfully processed requests.", "finished_reason", reasons...) {
		e.success[reasons[i]] = s
	}
}

func (b *builder) histograms(e *engines, length []float64) {
	e.promptLength = b.add(promclient.Histogram, "request_prompt_tokens", "Number of prefill tokens processed.", length...)
	e.answerLength = b.add(promclient.Histogram, "request_generation_tokens", "Number of generation tokens processed.", length...)
	e.iteration = b.add(promclient.Histogram, "iteration_tokens_total", "Histogram of number of tokens per engine_step.", iterationBounds...)
	e.maxGenerated = b.add(promclient.Histogram, "request_max_num_generation_tokens", "Histogram of maximum number of requested generation tokens.", length...)
	e.n = b.add(promclient.Histogram, "request_params_n", "Histogram of the n request parameter.", nBounds...)
	e.maxTokens = b.add(promclient.Histogram, "request_params_max_tokens", "Histogram of the max_tokens request parameter.", length...)
	e.ttft = b.add(promclient.Histogram, "time_to_first_token_seconds", "Histogram of time to first token in seconds.", ttftBounds...)
	e.itl = b.add(promclient.Histogram, "inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", itlBounds...)
	e.perToken = b.add(promclient.Histogram, "request_time_per_output_token_seconds", "Histogram of time_per_output_token_seconds per request.", itlBounds...)
	e.life = b.add(promclient.Histogram, "e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", lifeBounds...)
	const spent = "Histogram of time spent in "
	e.queue = b.add(promclient.Histogram, "request_queue_time_seconds", spent+"WAITING phase for request.", lifeBounds...)
	e.inference = b.add(promclient.Histogram, "request_inference_time_seconds", spent+"RUNNING phase for request.", lifeBounds...)
	e.prefill = b.add(promclient.Histogram, "request_prefill_time_seconds", spent+"PREFILL phase for request.", lifeBounds...)
	e.decode = b.add(promclient.Histogram, "request_decode_time_seconds", spent+"DECODE phase for request.", lifeBounds...)
	e.preempted = b.add(promclient.Histogram, "request_num_preemptions", "Histogram of the number of times a request was preempted.", preemptionBounds...)
	e.prefillComputed = b.add(promclient.Histogram, "request_prefill_kv_computed_tokens",
		"Histogram of new KV tokens computed during prefill (excluding cached tokens).", length...)
}

// builder makes families with a label set for each rank.
type builder struct {
	model    string
	ranks    int
	families []*promclient.Family
	rejected [2]*promclient.Series // by QueueLimit
}

func (b *builder) family(k promclient.Kind, name, help string, bounds ...float64) *promclient.Family {
	f := &promclient.Family{Name: "vllm:" + name, Help: help, Kind: k, Bounds: bounds}
	b.families = append(b.families, f)
	return f
}

func (b *builder) add(k promclient.Kind, name, help string, bounds ...float64) ranked {
	return b.perRank(b.family(k, name, help, bounds...), nil)
}

// by makes a family with a label more, and returns its values in their order.
func (b *builder) by(k promclient.Kind, name, help, key string, values ...string) []ranked {
	f := b.family(k, name, help)
	var all []ranked
	for _, v := range values {
		all = append(all, b.perRank(f, promclient.Labels{key: v}))
	}
	return all
}

func (b *builder) perRank(f *promclient.Family, more promclient.Labels) ranked {
	var s ranked
	for rank := range b.ranks {
		labels := promclient.Labels{"engine": strconv.Itoa(rank), "model_name": b.model}
		maps.Copy(labels, more)
		s = append(s, f.With(labels))
	}
	return s
}

// admissions counts for all ranks together.
func (b *builder) admissions() {
	f := b.family(promclient.Counter, "admission_rejections", "Number of admission attempts rejected by a queue limit, by reason.")
	for limit, reason := range []string{"max_num_queued_reqs", "max_num_queued_tokens"} {
		b.rejected[limit] = f.With(promclient.Labels{"model_name": b.model, "reason": reason})
	}
}
