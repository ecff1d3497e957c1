package admission

import (
	"math"
	"sync"
	"time"
)

// Quota is what a key may use; 0 means no limit.
type Quota struct {
	RequestsPerMinute  int
	TokensPerMinute    int
	ConcurrentRequests int
}

// Quotas knows what each key has used. The zero value is ready. What is known outlives a reload of the keys: it goes by id.
type Quotas struct {
	mu    sync.Mutex
	used  map[string]*usage // by key id
	sweep int               // how many make the next sweep due
}

// usage is what is known of a key.
type usage struct {
	requests, tokens bucket
	running          int
	full             time.Time // when both buckets are full again
}

// Lease is the right to run one request.
type Lease struct {
	quotas   *Quotas // nil when the key has no limits
	key      string
	usage    *usage
	quota    Quota
	reserved int // tokens
}

// concurrentRetry is when to try again for a limit that no clock lifts.
const concurrentRetry = time.Second

// Admit takes a request with estimated tokens from the quota of a key, all of it or, with a *LimitError, nothing. A lease has
// to be released, once. The figures are those for the answer's headers, whatever the outcome.
func (q *Quotas) Admit(id string, quota Quota, tokens int) (Lease, Figures, error) {
	if quota == (Quota{}) {
		return Lease{}, Figures{}, nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	u := q.of(id, now)
	u.requests.refill(quota.RequestsPerMinute, now)
	u.tokens.refill(quota.TokensPerMinute, now)
	if err := u.refusal(quota, tokens); err != nil {
		err.Key = id
		return Lease{}, u.figures(quota, now), err
	}
	u.running++
	if quota.RequestsPerMinute > 0 {
		u.requests.take(1)
	}
	if quota.TokensPerMinute > 0 {
		u.tokens.take(tokens)
	}
	return Lease{q, id, u, quota, tokens}, u.figures(quota, now), nil
}

// Held tells whether the lease counts for its key. That of a key without limits does not.
func (l *Lease) Held() bool { return l.quotas != nil }

// Reserve takes the tokens of a request that was admitted before anybody knew how many it may need: all of them or, with a *LimitError,
// none, and then the request does not count for its rate either. The lease has to be released all the same.
func (l *Lease) Reserve(tokens int) (Figures, error) {
	l.quotas.mu.Lock()
	defer l.quotas.mu.Unlock()
	now := time.Now()
	l.usage.requests.refill(l.quota.RequestsPerMinute, now)
	l.usage.tokens.refill(l.quota.TokensPerMinute, now)
	if err := l.usage.refusal(Quota{TokensPerMinute: l.quota.TokensPerMinute}, tokens); err != nil {
		err.Key = l.key
		l.usage.requests.take(-1)
		return l.usage.figures(l.quota, now), err
	}
	if l.quota.TokensPerMinute > 0 {
		l.usage.tokens.take(tokens)
		l.reserved = tokens
	}
	return l.usage.figures(l.quota, now), nil
}

// refusal finds the limit that keeps a request waiting for the longest time.
func (u *usage) refusal(quota Quota, tokens int) (refused *LimitError) {
	consider := func(limit Limit, allowed int, used float64, requested int, wait time.Duration) {
		if wait > 0 && (refused == nil || wait > refused.RetryAfter) {
			refused = &LimitError{Limit: limit, Allowed: allowed, Used: int(math.Ceil(used - slack)), Requested: requested, RetryAfter: wait}
		}
	}
	if most := quota.TokensPerMinute; most > 0 {
		if tokens > most {
			return &LimitError{Limit: Tokens, Allowed: most, Requested: tokens}
		}
		consider(Tokens, most, u.tokens.used, tokens, u.tokens.wait(most, tokens))
	}
	if most := quota.RequestsPerMinute; most > 0 {
		consider(Requests, most, u.requests.used, 1, u.requests.wait(most, 1))
	}
	if most := quota.ConcurrentRequests; most > 0 && u.running >= most {
		consider(Concurrent, most, float64(u.running), 1, concurrentRetry)
	}
	return refused
}

// figures tells where the key stands and notes when that is over.
func (u *usage) figures(quota Quota, now time.Time) Figures {
	f := Figures{u.requests.figure(quota.RequestsPerMinute), u.tokens.figure(quota.TokensPerMinute)}
	u.full = now.Add(max(f.Requests.Reset, f.Tokens.Reset))
	return f
}

// Release ends the request, which used so many tokens; -1 when nobody counted them keeps the estimate.
func (l Lease) Release(tokens int) {
	if l.quotas == nil {
		return
	}
	l.quotas.mu.Lock()
	defer l.quotas.mu.Unlock()
	l.usage.running--
	if tokens >= 0 && l.quota.TokensPerMinute > 0 {
		now := time.Now()
		l.usage.tokens.refill(l.quota.TokensPerMinute, now)
		l.usage.tokens.take(tokens - l.reserved)
		l.usage.figures(l.quota, now)
	}
}

// minSweep is how many keys are always remembered.
const minSweep = 1024

// of returns what is known of a key. So that keys that are gone do not pile up, those that run nothing and have full buckets
// are forgotten whenever the number has doubled: it stays within twice the keys that are not back at their beginning.
func (q *Quotas) of(id string, now time.Time) *usage {
	if u := q.used[id]; u != nil {
		return u
	}
	if q.used == nil {
		q.used, q.sweep = map[string]*usage{}, minSweep
	}
	if len(q.used) >= q.sweep {
		for id, u := range q.used {
			if u.running == 0 && !now.Before(u.full) {
				delete(q.used, id)
			}
		}
		q.sweep = max(minSweep, 2*len(q.used))
	}
	u := &usage{requests: bucket{at: now}, tokens: bucket{at: now}}
	q.used[id] = u
	return u
}
