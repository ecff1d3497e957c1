package pooling

import (
	"hash/fnv"
	"math"
	"strings"
	"unicode"
)

// width is that of the reference model's vectors.
const width = 64

// vector is the raw vector of a text. All texts share a direction, so that even strangers are a little alike, as with a
// real model, and no vector is zero.
func vector(text string) []float32 {
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

// normal is v with the length 1.
func normal(v []float32) []float32 {
	length := float32(math.Sqrt(dot(v, v)))
	n := make([]float32, len(v))
	for i, x := range v {
		n[i] = x / length
	}
	return n
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// similarity is the cosine of two texts' vectors.
func similarity(a, b string) float32 { return float32(dot(normal(vector(a)), normal(vector(b)))) }

// classes is what a classifier that nobody trained says: a number for each of vLLM's two default classes. With softmax they
// are probabilities.
func classes(text string, softmax bool) []float32 {
	v := normal(vector(text))
	scores := []float64{4 * float64(v[0]), 4 * float64(v[1])}
	if softmax {
		a, b := math.Exp(scores[0]), math.Exp(scores[1])
		scores = []float64{a / (a + b), b / (a + b)}
	}
	return []float32{float32(scores[0]), float32(scores[1])}
}
