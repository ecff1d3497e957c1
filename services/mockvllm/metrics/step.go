package metrics

import "github.com/fluidmcp/fluidmcp/services/mockvllm/engine"

// busyRank is the data-parallel engine that answers. The mock has one; the series of the others stay as they begin.
const busyRank = 0

// Step does what PrometheusStatLogger.record does (vllm/v1/metrics/loggers.py).
func (m *Metrics) Step(it *engine.Iteration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := &m.engines
	e.running[busyRank].Set(float64(it.Running))
	e.waiting[busyRank].Set(float64(it.Waiting + it.Deferred))
	e.capacity[busyRank].Set(float64(it.Waiting))
	e.deferred[busyRank].Set(float64(it.Deferred))
	e.kvUsage[busyRank].Set(it.KVUsage)
	e.queries[busyRank].Add(it.PrefixQueries)
	e.hits[busyRank].Add(it.PrefixHits)
	e.onDevice[busyRank].Add(it.PrefixHits)
	if m.loras != nil {
		m.lora(it.LoRAs, it.At)
	}
	if it.Outputs == 0 {
		return
	}
	steps := 1 + it.Repeats
	e.preemptions[busyRank].Add(it.Preemptions)
	e.prompt[busyRank].Add(it.PromptComputed + it.PromptCached)
	e.computed[busyRank].Add(it.PromptComputed)
	e.hit[busyRank].Add(it.PromptCached)
	e.cached[busyRank].Add(it.PromptCached)
	e.generated[busyRank].Add(steps * it.Generated)
	e.iteration[busyRank].ObserveTimes(steps, float64(it.TotalTokens()))
	for _, d := range it.FirstTokens {
		e.ttft[busyRank].Observe(d.Seconds())
	}
	for _, d := range it.Gaps {
		e.itl[busyRank].ObserveTimes(steps, d.Seconds())
	}
	for i := range it.Finished {
		e.finished(&it.Finished[i])
	}
}

func (e *engines) finished(f *engine.Finished) {
	if s := e.success[f.Reason]; s != nil {
		s[busyRank].Inc()
	}
	e.promptLength[busyRank].Observe(float64(f.Prompt))
	e.answerLength[busyRank].Observe(float64(f.Generated))
	if f.N > 0 {
		e.n[busyRank].Observe(float64(f.N))
		e.maxGenerated[busyRank].Observe(float64(f.MaxGenerated))
	}
	if f.MaxTokens > 0 {
		e.maxTokens[busyRank].Observe(float64(f.MaxTokens))
	}
	e.life[busyRank].Observe(f.EndToEnd.Seconds())
	e.queue[busyRank].Observe(f.Queue.Seconds())
	e.inference[busyRank].Observe(f.Inference.Seconds())
	e.prefill[busyRank].Observe(f.Prefill.Seconds())
	e.decode[busyRank].Observe(f.Decode.Seconds())
	e.perToken[busyRank].Observe(f.PerOutputToken.Seconds())
	e.preempted[busyRank].Observe(float64(f.Preemptions))
	e.prefillComputed[busyRank].Observe(float64(f.Computed()))
}
