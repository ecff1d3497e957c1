package refmodel

import "slices"

// Normal is v with the length 1, as the pooler makes it.
func Normal(v []float32) []float32 {
	length := max(norm(v), 1e-12)
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = x / length
	}
	return out
}

// Cosine is the similarity of two vectors. It makes their lengths 1 again, so that it may be a little more than 1.
func Cosine(a, b []float32) float32 { return dot(Normal(a), Normal(b)) }

// LogProbs are the logarithms of the probabilities of all tokens.
func LogProbs(logits []float32) []float32 {
	most := slices.Max(logits)
	var part [lanes]float32
	for i, x := range logits {
		part[i%lanes] += exp(x - most)
	}
	sum := log(fold(part))
	out := make([]float32, len(logits))
	for i, x := range logits {
		out[i] = float32(x-most) - sum
	}
	return out
}
