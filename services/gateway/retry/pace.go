package retry

import (
	"sync"
	"time"
)

// Pace is what a model's requests have told about how often and when another backend may be asked. The zero value knows nothing.
type Pace struct {
	Budget Budget

	streams, plain FirstBytes // a stream begins with its first token, a plain answer with its last
}

// Answered notes how long an answer took to begin.
func (p *Pace) Answered(stream bool, took time.Duration) { p.firstBytes(stream).Add(took) }

// Slow is the time in which 95 of 100 answers began. It reports false as long as too few are known.
func (p *Pace) Slow(stream bool) (time.Duration, bool) { return p.firstBytes(stream).P95() }

func (p *Pace) firstBytes(stream bool) *FirstBytes {
	if stream {
		return &p.streams
	}
	return &p.plain
}

// Paces are those of all models. They outlive snapshots.
type Paces struct{ byModel sync.Map }

// Of returns that of a model, by its id.
func (p *Paces) Of(model string) *Pace {
	if known, ok := p.byModel.Load(model); ok {
		return known.(*Pace)
	}
	pace, _ := p.byModel.LoadOrStore(model, &Pace{})
	return pace.(*Pace)
}

// Keep forgets models that are not declared any more.
func (p *Paces) Keep(declared func(model string) bool) {
	p.byModel.Range(func(model, _ any) bool {
		if !declared(model.(string)) {
			p.byModel.Delete(model)
		}
		return true
	})
}
