package pooling

import (
	"hash/fnv"
	"math"
	"strings"
	"unicode"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/refmodel"
)

// width is that of the reference model's vectors.
const width = 64

// vector is the raw vector of a prompt, the reference model's where that answers.
func (m Model) vector(p prompt) []float32 {
	if ref := m.Reference(len(p.tokens)); ref != nil {
		return ref.Last(p.tokens)
	}
	return hashed(p.text)
}

// hashed makes a vector of a text. All texts share a direction, so that even strangers are a little alike, as with a
// real model, and no vector is zero.
func hashed(text string) []float32 {
	sums := make([]float64, width)
	for i := range sums {
		sums[i] = math.Cos(float64(i*i + 1)) // any fixed direction
	}
	add := func(gram string, weight float64) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(gram)) // a hash takes every write
		// Each gram has a direction of its own: many small numbers make near-orthogonal ones.
		state := h.Sum64()
		for i := range sums {
			state ^= state << 13
			state ^= state >> 7
			state ^= state << 17
			sums[i] += weight * (float64(state>>11)/(1<<53) - 0.5)
		}
	}
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		add(word, 3)
		runes := []rune(" " + word + " ")
		for i := 0; i+3 <= len(runes); i++ {
			add(string(runes[i:i+3]), 1)
		}
	}
	v := make([]float32, width)
	for i, sum := range sums {
		v[i] = float32(sum)
	}
	return v
}

// classes is what a classifier that nobody trained says: a number for each of vLLM's two default classes. With softmax they
// are probabilities.
func classes(text string, softmax bool) []float32 {
	v := refmodel.Normal(hashed(text))
	scores := []float64{4 * float64(v[0]), 4 * float64(v[1])}
	if softmax {
		a, b := math.Exp(scores[0]), math.Exp(scores[1])
		scores = []float64{a / (a + b), b / (a + b)}
	}
	return []float32{float32(scores[0]), float32(scores[1])}
}
