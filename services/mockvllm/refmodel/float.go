package refmodel

import "math"

// Conversions like float32(a*b) below are no decoration: they keep the compiler from fusing the product with a sum.

// fma is a*b+c, rounded once. The product of two float32 is exact as a float64, and the sum nearly.
func fma(a, b, c float32) float32 {
	sum := float64(a)*float64(b) + float64(c)
	if math.Float64bits(sum)<<35 == 1<<63 {
		return halfway(a, b, c)
	}
	return float32(sum)
}

// halfway is fma where the sum is in the middle between two float32: what it lost itself decides.
func halfway(a, b, c float32) float32 {
	product, term := float64(a)*float64(b), float64(c)
	sum := product + term
	back := sum - product
	switch lost := (product - (sum - back)) + (term - back); {
	case lost > 0:
		sum = math.Nextafter(sum, math.Inf(1))
	case lost < 0:
		sum = math.Nextafter(sum, math.Inf(-1))
	}
	return float32(sum)
}

// apply multiplies a matrix, row by row, with v: oneDNN adds the products of a row one after the other.
func apply(matrix, v []float32) []float32 {
	out := make([]float32, len(matrix)/len(v))
	for i := range out {
		var sum float32
		for k, w := range matrix[i*len(v) : (i+1)*len(v)] {
			sum = fma(v[k], w, sum)
		}
		out[i] = sum
	}
	return out
}

func add(a, b []float32) []float32 {
	out := make([]float32, len(a))
	for i, x := range a {
		out[i] = x + b[i]
	}
	return out
}

// dot is a sum of rounded products as torch reduces 64 numbers: over four accumulators of 8 lanes in turn, then these, then the lanes.
func dot(a, b []float32) float32 {
	const lanes = 8
	var part [4 * lanes]float32
	for i, x := range a {
		part[i%len(part)] += float32(x * b[i])
	}
	var sum float32
	for l := range lanes {
		sum += part[l] + part[lanes+l] + part[2*lanes+l] + part[3*lanes+l]
	}
	return sum
}

// norm is the length of v. Here torch has one accumulator of 8 lanes.
func norm(v []float32) float32 {
	var part [8]float32
	for i, x := range v {
		part[i%len(part)] += float32(x * x)
	}
	var sum float32
	for _, x := range part {
		sum += x
	}
	return sqrt(sum)
}

// fold adds up 16 lanes, half onto half.
func fold(lanes [16]float32) float32 {
	for n := 8; n > 0; n /= 2 {
		for i := range n {
			lanes[i] += lanes[n+i]
		}
	}
	return lanes[0]
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

func polynomial(x float32, coefficients ...float32) float32 {
	sum := coefficients[0]
	for _, c := range coefficients[1:] {
		sum = fma(sum, x, c)
	}
	return sum
}

// exp is that of SLEEF, which torch's own loops use.
func exp(x float32) float32 {
	n := float32(math.RoundToEven(float64(float32(x * math.Log2E))))
	r := fma(n, -1.428606765330187045e-06, fma(n, -0.693145751953125, x))
	p := polynomial(r, 0.000198527617612853646278381, 0.00139304355252534151077271, 0.00833336077630519866943359,
		0.0416664853692054748535156, 0.166666671633720397949219, 0.5)
	if x < -104 {
		return 0
	}
	return float32(math.Ldexp(float64(1+fma(float32(r*r), p, r)), int(n)))
}

// fastExp is that of vLLM's attention.
func fastExp(x float32) float32 {
	smallest := math.Float32frombits(0xc2aeac50) // the logarithm of the smallest number
	if x < smallest {
		return 0
	}
	n := float32(math.Floor(float64(fma(x, math.Log2E, 0.5))))
	r := fma(-n, math.Ln2, x)
	p := polynomial(r, 0.00828929059, 0.0418978221, 0.166676521, 0.499991506, 0.999999701, 1)
	return float32(math.Ldexp(float64(p), int(n)))
}

// log is that of Sleef, which torch takes for the logarithm of a softmax's sum: its last bit is off now and then. Numbers with two
// parts are sums that no float32 is exact enough for. x is at least 1.
func log(x float32) float32 {
	_, exponent := math.Frexp(float64(float32(x * float32(1/0.75))))
	e := float32(exponent - 1)
	m := float32(math.Ldexp(float64(x), 1-exponent))

	above, below := exactly(-1, m)
	under, rest := exactly(1, m)
	inverse := 1 / under
	q := float32(above * inverse)
	q2 := fma(q, fma(-rest, inverse, fma(-under, inverse, 1)), fma(below, inverse, fma(inverse, above, -q)))

	square := float32(q * q)
	series := fma(fma(0.3027294874, square, 0.3996108174), square, 0.6666694880)
	const ln2, ln2Rest = 0.69314718246459960938, -1.904654323148236017e-09
	product := float32(e * ln2)
	productRest := fma(ln2Rest, e, fma(ln2, e, -product))
	sum := product + 2*q
	sumRest := product - sum + 2*q + productRest + 2*q2
	more := float32(float32(square*q) * series)
	all := sum + more
	return all + (sum - all + more + sumRest)
}

// exactly is a sum in two parts.
func exactly(a, b float32) (sum, rest float32) {
	sum = a + b
	v := sum - a
	return sum, a - (sum - v) + (b - v)
}
