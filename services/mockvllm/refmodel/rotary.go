package refmodel

import (
	_ "embed"
	"encoding/binary"
	"math"
)

// Context is how many tokens the model reads at most.
const Context = 2048

const pairs = head / 2

// rotation holds the cosines and then the sines of the angles of a position.
type rotation [2 * pairs]float32

// deviations lists where a number is not the nearest float32, but a neighbour: for each the distance to the one before it and,
// as lowest bit, whether it is less. The functions of Intel's library are not published.
//
//go:embed rotation.bin
var deviations []byte

func rotations() []rotation {
	all := make([]rotation, Context)
	for j := range pairs {
		frequency := 1 / float32(math.Pow(10000, float64(j)/pairs))
		for i := range all {
			angle := float64(float32(float32(i) * frequency))
			all[i][j], all[i][pairs+j] = float32(math.Cos(angle)), float32(math.Sin(angle))
		}
	}
	at := -1
	for rest := deviations; len(rest) > 0; {
		step, n := binary.Uvarint(rest)
		rest = rest[n:]
		at += int(step >> 1)
		x := &all[at/len(rotation{})][at%len(rotation{})]
		*x = math.Float32frombits(math.Float32bits(*x) + 1 - uint32(step&1)*2)
	}
	return all
}

// rotate turns the pairs of numbers of all heads of v in place.
func (r *rotation) rotate(v []float32) {
	for at := 0; at < len(v); at += head {
		for j := range pairs {
			cos, sin := r[j], r[pairs+j]
			a, b := &v[at+j], &v[at+pairs+j]
			*a, *b = fma(-*b, sin, float32(*a*cos)), fma(*a, sin, float32(*b*cos))
		}
	}
}
