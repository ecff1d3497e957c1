package latency

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// Distribution is how a delay varies. The zero value is no delay.
type Distribution struct {
	kind      kind
	mean, dev time.Duration // of the delay itself, not of its logarithm
}

type kind string

const (
	constant  kind = "" // no deviation
	normal    kind = "normal"
	lognormal kind = "lognormal"
)

// Constant is always d.
func Constant(d time.Duration) Distribution { return Distribution{mean: d} }

// longest is more than any server takes, and short enough that sums of delays do not overflow.
const longest = 1000 * time.Hour

// Parse reads 200ms, normal:200ms,20ms or lognormal:200ms,50ms: the mean and the standard deviation of the delay.
func Parse(text string) (Distribution, error) {
	name, rest, named := strings.Cut(text, ":")
	if !named {
		mean, err := delay(text)
		return Distribution{mean: mean}, err
	}
	d := Distribution{kind: kind(name)}
	if d.kind != normal && d.kind != lognormal {
		return Distribution{}, fmt.Errorf("%q: distribution %q is not known, use normal or lognormal", text, name)
	}
	first, second, two := strings.Cut(rest, ",")
	if !two {
		return Distribution{}, fmt.Errorf("%q: give mean and standard deviation, such as %s:200ms,20ms", text, name)
	}
	var err error
	if d.mean, err = delay(first); err != nil {
		return Distribution{}, err
	}
	if d.dev, err = delay(second); err != nil {
		return Distribution{}, err
	}
	if d.kind == lognormal && d.mean == 0 {
		return Distribution{}, fmt.Errorf("%q: the mean of a lognormal distribution is positive", text)
	}
	return d, nil
}

func delay(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.TrimSpace(text))
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a time such as 200ms or 1.5s", text)
	case d < 0:
		return 0, fmt.Errorf("%q is negative", text)
	case d > longest:
		return 0, fmt.Errorf("%q is longer than %s", text, longest)
	}
	return d, nil
}

// String gives the form that Parse reads.
func (d Distribution) String() string {
	if d.kind == constant {
		return d.mean.String()
	}
	return fmt.Sprintf("%s:%s,%s", d.kind, d.mean, d.dev)
}

// Equal is for go-cmp.
func (d Distribution) Equal(other Distribution) bool { return d == other }

// UnmarshalText is for flags and the environment.
func (d *Distribution) UnmarshalText(text []byte) (err error) {
	*d, err = Parse(string(text))
	return err
}

// varies tells whether draw needs a source.
func (d Distribution) varies() bool { return d.kind != constant && d.dev > 0 }

// draw gives the next delay in whole microseconds; a constant one is exact.
func (d Distribution) draw(source *rand.Rand) time.Duration {
	if !d.varies() {
		return d.mean
	}
	x, mean, dev := source.NormFloat64(), float64(d.mean), float64(d.dev)
	if d.kind == normal {
		x = mean + dev*x
	} else {
		variance := math.Log1p(dev / mean * dev / mean)
		x = mean * math.Exp(math.Sqrt(variance)*x-variance/2)
	}
	return time.Duration(min(max(x, 0), float64(longest))).Round(time.Microsecond)
}
