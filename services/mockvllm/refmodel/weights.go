package refmodel

import (
	"math"
	"math/bits"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// numbers are those of numpy.random.default_rng(20): its generator PCG64 and, for normal numbers, a ziggurat of 256 layers.
type numbers struct {
	high, low uint64
	edge      [256]float64 // where a layer ends; layer 0 is the lowest, with the tail
	height    [256]float64 // of the density there
}

const tail = 3.6541528853610087963519472518 // where it begins

func newNumbers() *numbers {
	r := &numbers{high: 0x028b9cd1631a7875, low: 0x272a9324a9a40297}
	density := func(x float64) float64 { return math.Exp(-x * x / 2) }
	area := tail*density(tail) + math.Sqrt(math.Pi/2)*math.Erfc(tail/math.Sqrt2) // of each layer
	r.edge[0], r.height[0] = area/density(tail), 1
	r.edge[255] = tail
	for i := 255; i > 0; i-- {
		r.height[i] = density(r.edge[i])
		if i > 1 {
			r.edge[i-1] = math.Sqrt(-2 * math.Log(area/r.edge[i]+r.height[i]))
		}
	}
	return r
}

func (r *numbers) next() uint64 {
	const factorHigh, factorLow, stepHigh, stepLow = 0x2360ed051fc65da4, 0x4385df649fccf645, 0x36bdbff41415e50f, 0xf4aed29c68a376d3
	high, low := bits.Mul64(r.low, factorLow)
	high += r.high*factorLow + r.low*factorHigh
	var carry uint64
	r.low, carry = bits.Add64(low, stepLow, 0)
	r.high, _ = bits.Add64(high, stepHigh, carry)
	return bits.RotateLeft64(r.high^r.low, -int(r.high>>58))
}

func (r *numbers) uniform() float64 { return float64(r.next()>>11) / (1 << 53) }

func (r *numbers) normal() float64 {
	for {
		n := r.next()
		layer, negative, x := n&0xff, n>>8&1 == 1, n>>9&(1<<52-1)
		value := float64(x) * (r.edge[layer] / (1 << 52))
		if negative {
			value = -value
		}
		inside := r.edge[255] // up to where the layer above covers this one
		if layer > 0 {
			inside = r.edge[layer-1]
		}
		switch {
		case layer != 1 && x < uint64(inside/r.edge[layer]*(1<<52)):
			return value
		case layer == 0:
			return r.beyond(x>>8&1 == 1)
		case (r.height[layer-1]-r.height[layer])*r.uniform()+r.height[layer] < math.Exp(-0.5*value*value):
			return value
		}
	}
}

// beyond draws from the tail.
func (r *numbers) beyond(negative bool) float64 {
	for {
		x, y := -math.Log1p(-r.uniform())/tail, -math.Log1p(-r.uniform())
		if y+y <= x*x {
			continue
		}
		if negative {
			return -(tail + x)
		}
		return tail + x
	}
}

func (r *numbers) matrix(rows, columns int, deviation float64) []float32 {
	m := make([]float32, rows*columns)
	for i := range m {
		m[i] = float32(deviation * r.normal())
	}
	return m
}

func (r *numbers) layer() layer {
	square := func() []float32 { return r.matrix(width, width, 0.15) }
	l := layer{query: square(), key: square(), value: square(), out: square()}
	l.gate, l.up, l.down = r.matrix(inner, width, 0.15), r.matrix(inner, width, 0.15), r.matrix(width, inner, 0.15)
	// Nothing is added to the first number of a state, which is the same for all tokens.
	clear(l.out[:width])
	clear(l.down[:inner])
	return l
}

// bias keeps the model from special tokens, marks and broken UTF-8. It is what the first number of a state is multiplied with.
func bias(t *tokenizer.Tokenizer, id int) float32 {
	spelling := t.Spelling(id)
	unprintable := func(c rune) bool { return (c < '!' || c > '~') && c != 'Ġ' && c != 'Ċ' }
	switch {
	case t.IsAdded(id) || strings.ContainsFunc(spelling, unprintable):
		return -4
	case len([]rune(spelling)) == 1:
		return -0.3
	default:
		return 0
	}
}
