package statlog

// most is how many requests the hit rate of the prefix cache is about: CachingMetrics (vllm/v1/metrics/stats.py).
const most = 1000

// lookups are what the newest requests found in the prefix cache.
type lookups struct {
	steps []lookup // the oldest first
	sum   lookup
}

// lookup is about the requests that one step admitted; queries and hits are tokens.
type lookup struct{ requests, queries, hits int }

func (l *lookups) add(n lookup) {
	if n.requests == 0 {
		return
	}
	l.steps = append(l.steps, n)
	l.sum.plus(n, 1)
	for len(l.steps) > 1 && l.sum.requests > most {
		l.sum.plus(l.steps[0], -1)
		l.steps = l.steps[1:]
	}
}

func (l *lookup) plus(n lookup, sign int) {
	l.requests += sign * n.requests
	l.queries += sign * n.queries
	l.hits += sign * n.hits
}

func (l *lookups) forget() { l.steps, l.sum = l.steps[:0], lookup{} }

// percent is 0 to 100. False is that no request has looked anything up.
func (l *lookups) percent() (p float64, ok bool) {
	if l.sum.queries > 0 {
		p = 100 * float64(l.sum.hits) / float64(l.sum.queries)
	}
	return p, l.sum.requests > 0
}
