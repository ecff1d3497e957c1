package refmodel

import "math"

const lanes = 16

// attend writes what a head sees from its query: the values of the tokens so far, weighted by how well their keys match.
func attend(out, query []float32, keys, values [][]float32) {
	scale := float32(1 / math.Sqrt(head))
	scores := make([]float32, len(keys))
	most := float32(-math.MaxFloat32)
	for t, key := range keys {
		for d, q := range query {
			scores[t] = fma(float32(q*scale), key[d], scores[t])
		}
		most = max(most, scores[t])
	}
	var part [lanes]float32
	for t, s := range scores {
		weight := fastExp(s - most)
		part[t%lanes] += weight
		for d, v := range values[t] {
			out[d] = fma(weight, v, out[d])
		}
	}
	total := 1 / fold(part)
	for d := range out {
		out[d] *= total
	}
}
