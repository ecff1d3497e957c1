package metrics

import "github.com/fluidmcp/fluidmcp/services/mockvllm/engine"

// busyRank is the data-parallel engine that answers. The mock has one; the series of the others stay as they begin.
const busyRank = 0

// Step does what PrometheusStatLogger.record does (vllm/v1/metrics/loggers.py).
func (m *Metrics) Step(it *engine.Iteration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := &m.engines
	e.running[busyRank].set(float64(it.Running))
	e.waiting[busyRank].set(float64(it.Waiting + it.Deferred))
	e.capacity[busyRank].set(float64(it.Waiting))
	e.deferred[busyRank].set(float64(it.Deferred))
	e.kvUsage[busyRank].set(it.KVUsage)
	e.queries[busyRank].add(it.PrefixQueries)
	e.hits[busyRank].add(it.PrefixHits)
	e.onDevice[busyRank].add(it.PrefixHits)
	if m.loras != nil {
		m.lora(it.LoRAs, it.At)
	}
	if it.Outputs == 0 {
		return
	}
	steps := 1 + it.Repeats
	e.preemptions[busyRank].add(it.Preemptions)
	e.prompt[busyRank].add(it.PromptComputed + it.PromptCached)
	e.computed[busyRank].add(it.PromptComputed)
	e.hit[busyRank].add(it.PromptCached)
	e.cached[busyRank].add(it.PromptCached)
	e.generated[busyRank].add(steps * it.Generated)
	e.iteration[busyRank].observeTimes(steps, float64(it.TotalTokens()))
	for _, d := range it.FirstTokens {
		e.ttft[busyRank].observe(d.Seconds())
	}
	for _, d := range it.Gaps {
		e.itl[busyRank].observeTimes(steps, d.Seconds())
	}
	for i := range it.Finished {
		e.finished(&it.Finished[i])
	}
}

func (e *engines) finished(f *engine.Finished) {
	if s := e.success[f.Reason]; s != nil {
		s[busyRank].inc()
	}
	e.promptLength[busyRank].observe(float64(f.Prompt))
	e.answerLength[busyRank].observe(float64(f.Generated))
	if f.N > 0 {
		e.n[busyRank].observe(float64(f.N))
		e.maxGenerated[busyRank].observe(float64(f.MaxGenerated))
	}
	if f.MaxTokens > 0 {
		e.maxTokens[busyRank].observe(float64(f.MaxTokens))
	}
	e.life[busyRank].observe(f.EndToEnd.Seconds())
	e.queue[busyRank].observe(f.Queue.Seconds())
	e.inference[busyRank].observe(f.Inference.Seconds())
	e.prefill[busyRank].observe(f.Prefill.Seconds())
	e.decode[busyRank].observe(f.Decode.Seconds())
	e.perToken[busyRank].observe(f.PerOutputToken.Seconds())
	e.preempted[busyRank].observe(float64(f.Preemptions))
	e.prefillComputed[busyRank].observe(float64(f.Computed()))
}
