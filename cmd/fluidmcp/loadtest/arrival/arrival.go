// Package arrival plans when the requests of an open loop are sent: at times that do not depend on the answers.
package arrival

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Plan gives the time of each request, counted from the start of the run. It is not safe for concurrent use.
type Plan struct {
	gap  func() float64 // seconds to the next request
	next float64        // seconds
}

// New plans rate requests per second. Arrivals are constant, one each 1/rate seconds, or poisson: independent of each
// other, as those of many users are. The seed decides the times of the latter. The error names each of the two that is wrong.
func New(arrivals string, rate float64, seed uint64) (*Plan, error) {
	var all []error
	if !(rate > 0 && rate <= 1e6) { // NaN too
		all = append(all, fmt.Errorf("--rate %g: use requests per second, more than 0 and at most a million", rate))
	}
	p := &Plan{}
	switch arrivals {
	case "constant":
		p.gap = func() float64 { return 1 / rate }
	case "poisson":
		rng := rand.New(rand.NewPCG(seed, 1))
		p.gap = func() float64 { return rng.ExpFloat64() / rate }
	default:
		all = append(all, fmt.Errorf("--arrivals %q: use constant or poisson", arrivals))
	}
	return p, errors.Join(all...)
}

// Next returns the time of the next request. The first one is sent at the start.
func (p *Plan) Next() time.Duration {
	at := p.next
	p.next += p.gap()
	return time.Duration(at * float64(time.Second))
}
