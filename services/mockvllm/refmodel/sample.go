package refmodel

import (
	"cmp"
	"math"
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/splitmix"
)

// Likeliest is the token with the highest logit, the first of several.
func Likeliest(logits []float32) (best int) {
	for id, x := range logits {
		if x > logits[best] {
			best = id
		}
	}
	return best
}

// Sampler draws tokens as vLLM does for a request with a seed: torch's Mersenne twister gives a number for each token of the answer,
// and from that follows the noise on each logit.
type Sampler struct{ twister twister }

// NewSampler begins an answer.
func NewSampler(seed int64) *Sampler { return &Sampler{newTwister(uint32(seed))} } // torch takes the low bits

// Pick draws the next token.
func (s *Sampler) Pick(logits []float32) (best int) {
	s.twister.next() // torch draws 64 bits and uses the lower half, which comes second
	key := splitmix.Mix(uint64(s.twister.next() & math.MaxInt32))
	most := math.Inf(-1)
	for id, x := range logits {
		share := (float64(splitmix.Mix(key+uint64(id+1)*0x9e3779b97f4a7c15)>>11) + 0.5) / (1 << 53)
		if noisy := float64(x) - math.Log(-math.Log(share)); noisy > most {
			best, most = id, noisy
		}
	}
	return best
}

// Soften divides logits by a temperature, which is more than 0.
func Soften(logits []float32, temperature float64) {
	for id := range logits {
		logits[id] /= float32(temperature)
	}
}

// MinP leaves out tokens that are less than p times as probable as the likeliest.
func MinP(logits []float32, p float64) {
	most := slices.Max(logits)
	for id, x := range logits {
		if exp(x-most) < float32(p) {
			logits[id] = Never
		}
	}
}

// TopK leaves out tokens but for the k likeliest and those that are as likely as the last of them.
func TopK(logits []float32, k int) {
	least := slices.Sorted(slices.Values(logits))[max(0, len(logits)-k)]
	for id, x := range logits {
		if x < least {
			logits[id] = Never
		}
	}
}

// TopP leaves out the unlikeliest tokens, as many as have no more than the rest of p together.
func TopP(logits []float32, p float64) {
	probs := LogProbs(logits)
	order := make([]int, len(logits))
	for id := range order {
		order[id] = id
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(logits[a], logits[b]) })
	var sum float64
	for _, id := range order[:len(order)-1] {
		if sum += float64(exp(probs[id])); float32(sum) <= 1-float32(p) {
			logits[id] = Never
		}
	}
}

// twister is MT19937, of Matsumoto and Nishimura.
type twister struct {
	state [624]uint32
	at    int
}

func newTwister(seed uint32) twister {
	t := twister{at: 624}
	for i := range t.state {
		t.state[i] = seed
		seed = 1812433253*(seed^seed>>30) + uint32(i+1)
	}
	return t
}

func (t *twister) next() uint32 {
	if t.at == len(t.state) {
		t.at = 0
		for i := range t.state {
			y := t.state[i]&(1<<31) | t.state[(i+1)%624]&math.MaxInt32
			t.state[i] = t.state[(i+397)%624] ^ y>>1 ^ y&1*0x9908b0df
		}
	}
	y := t.state[t.at]
	t.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}
