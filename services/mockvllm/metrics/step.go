package metrics

import "github.com/fluidmcp/fluidmcp/services/mockvllm/engine"

// Step records a step of the first rank.
func (m *Metrics) Step(it *engine.Iteration) { m.step(0, it) }

// Rank is the observer of one data-parallel engine, of 0 to Options.Ranks-1.
func (m *Metrics) Rank(n int) engine.Observer { return rankObserver{m, n} }

type rankObserver struct {
	m    *Metrics
	rank int
}

func (o rankObserver) Step(it *engine.Iteration) { o.m.step(o.rank, it) }

// step does what PrometheusStatLogger.record does (vllm/v1/metrics/loggers.py).
func (m *Metrics) step(rank int, it *engine.Iteration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := &m.engines
	e.running[rank].set(float64(it.Running))
	e.waiting[rank].set(float64(it.Waiting + it.Deferred))
	e.capacity[rank].set(float64(it.Waiting))
	e.deferred[rank].set(float64(it.Deferred))
	e.kvUsage[rank].set(it.KVUsage)
	e.queries[rank].add(it.PrefixQueries)
	e.hits[rank].add(it.PrefixHits)
	e.onDevice[rank].add(it.PrefixHits)
	if m.loras != nil {
		m.lora(it.LoRAs, it.At)
	}
	if it.Outputs == 0 {
		return
	}
	steps := 1 + it.Repeats
	e.preemptions[rank].add(it.Preemptions)
	e.prompt[rank].add(it.PromptComputed + it.PromptCached)
	e.computed[rank].add(it.PromptComputed)
	e.hit[rank].add(it.PromptCached)
	e.cached[rank].add(it.PromptCached)
	e.generated[rank].add(steps * it.Generated)
	e.iteration[rank].observeTimes(steps, float64(it.TotalTokens()))
	for _, d := range it.FirstTokens {
		e.ttft[rank].observe(d.Seconds())
	}
	for _, d := range it.Gaps {
		e.itl[rank].observeTimes(steps, d.Seconds())
	}
	for i := range it.Finished {
		e.finished(rank, &it.Finished[i])
	}
}

func (e *engines) finished(rank int, f *engine.Finished) {
	if s := e.success[f.Reason]; s != nil {
		s[rank].inc()
	}
	e.promptLength[rank].observe(float64(f.Prompt))
	e.answerLength[rank].observe(float64(f.Generated))
	if f.N > 0 {
		e.n[rank].observe(float64(f.N))
		e.maxGenerated[rank].observe(float64(f.MaxGenerated))
	}
	if f.MaxTokens > 0 {
		e.maxTokens[rank].observe(float64(f.MaxTokens))
	}
	e.life[rank].observe(f.EndToEnd.Seconds())
	e.queue[rank].observe(f.Queue.Seconds())
	e.inference[rank].observe(f.Inference.Seconds())
	e.prefill[rank].observe(f.Prefill.Seconds())
	e.decode[rank].observe(f.Decode.Seconds())
	e.perToken[rank].observe(f.PerOutputToken.Seconds())
	e.preempted[rank].observe(float64(f.Preemptions))
	e.prefillComputed[rank].observe(float64(f.Computed()))
}
