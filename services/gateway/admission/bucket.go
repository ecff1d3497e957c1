package admission

import (
	"math"
	"time"
)

// bucket is a token bucket, seen from what is missing in it: so a new limit keeps what was used. It can be overdrawn.
type bucket struct {
	used float64 // up to at
	at   time.Time
}

// slack is what rounding may add up to: tokens, and nanoseconds.
const slack = 1e-3

// refill brings the bucket up to now. limit is per minute and the size of the bucket; one without a limit stays full.
func (b *bucket) refill(limit int, now time.Time) {
	if limit == 0 {
		b.used = 0
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.used = max(0, b.used-passed.Minutes()*float64(limit))
		b.at = now
	}
}

// wait is how long until n can be taken: 0 for now. The bucket is refilled and n is at most the limit.
func (b *bucket) wait(limit, n int) time.Duration {
	over := b.used + float64(n) - float64(limit)
	if over <= slack {
		return 0
	}
	return perMinute(over, limit)
}

// take takes n, or gives back when it is negative.
func (b *bucket) take(n int) { b.used = max(0, b.used+float64(n)) }

func (b *bucket) figure(limit int) Figure {
	if limit == 0 {
		return Figure{}
	}
	remaining := math.Floor(float64(limit) - b.used + slack)
	return Figure{Limit: limit, Remaining: max(0, int(remaining)), Reset: perMinute(b.used, limit)}
}

// perMinute is how long a rate takes for an amount, rounded up.
func perMinute(amount float64, rate int) time.Duration {
	ns := amount / float64(rate) * float64(time.Minute)
	return time.Duration(min(math.Ceil(ns-slack), math.MaxInt64/2))
}
