package schema

import (
	"math/big"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// number finds one on the grid of multipleOf between the bounds. Guided, it is the one nearest to 1.
func (m *maker) number(f *facts, isInteger bool, nth int) (any, bool) {
	low, lowOpen, ok1 := f.bound("minimum", "exclusiveMinimum", 1)
	high, highOpen, ok2 := f.bound("maximum", "exclusiveMaximum", -1)
	step, ok3 := f.step(isInteger)
	if !ok1 || !ok2 || !ok3 {
		return nil, false
	}
	if step == nil { // any number: hundredths, or tenths of a narrow range
		if step = big.NewRat(1, 100); m.src.Guide && low == nil && high == nil {
			step = big.NewRat(1, 1)
		}
		if low != nil && high != nil {
			if tenth := new(big.Rat).Mul(new(big.Rat).Sub(high, low), big.NewRat(1, 10)); tenth.Sign() > 0 && tenth.Cmp(step) < 0 {
				step = tenth
			}
		}
	}
	reach := big.NewInt(1000)
	if !m.src.Guide && m.try == 0 {
		reach.Exp(big.NewInt(10), big.NewInt(long), nil)
	}
	from, to := cells(low, step, lowOpen, true), cells(high, step, highOpen, false)
	switch one := new(big.Rat).Quo(big.NewRat(1, 1), step); {
	case from == nil && to == nil:
		from = ceil(one)
		if !m.src.Guide {
			from.Sub(from, big.NewInt(500))
		}
		to = new(big.Int).Add(from, reach)
	case from == nil:
		from = new(big.Int).Sub(to, reach)
	case to == nil:
		to = new(big.Int).Add(from, reach)
	}
	if from.Cmp(to) > 0 {
		return nil, false
	}
	k := new(big.Int).Set(from)
	span := new(big.Int).Sub(to, from)
	if !m.src.Guide || m.try > 0 {
		k.Add(k, m.below(span.Add(span, big.NewInt(1))))
	} else {
		if one := ceil(new(big.Rat).Quo(big.NewRat(1, 1), step)); k.Cmp(one) < 0 {
			k.Set(one)
		}
		if k.Add(k, big.NewInt(int64(nth))); k.Cmp(to) > 0 {
			k.Set(to)
		}
	}
	return decimal(new(big.Rat).Mul(new(big.Rat).SetInt(k), step), isInteger), true
}

// below draws a number that is not negative and less than n.
func (m *maker) below(n *big.Int) *big.Int {
	drawn := new(big.Int)
	for bits := n.BitLen() + 64; bits > 0; bits -= 64 { // 64 more than needed, so that none is drawn noticeably more often
		drawn.Add(drawn.Lsh(drawn, 64), new(big.Int).SetUint64(m.src.Rand.Uint64()))
	}
	return drawn.Mod(drawn, n)
}

// decimal writes a fraction of tenths exactly.
func decimal(r *big.Rat, isInteger bool) pyjson.Number {
	if r.IsInt() {
		return pyjson.Number(r.Num().String())
	}
	digits, exact := r.FloatPrec()
	if !exact || isInteger {
		digits = 20
	}
	return pyjson.Number(strings.TrimRight(r.FloatString(digits), "0"))
}

// rat reads a number of a schema. ok is false for one that is too long to count with.
func rat(v any) (r *big.Rat, ok bool) {
	n, isNumber := v.(pyjson.Number)
	if !isNumber {
		return nil, true
	}
	if _, exponent, has := strings.Cut(strings.ToLower(string(n)), "e"); len(n) > 400 || has && len(exponent) > 3 || strings.ContainsAny(string(n), "IN") {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}

// bound is the tightest of all. side is 1 for lower bounds and -1 for upper ones.
func (f *facts) bound(included, excluded string, side int) (at *big.Rat, open, ok bool) {
	for _, s := range f.schemas {
		for _, key := range []string{included, excluded} {
			r, fine := rat(s.Value(key))
			if !fine {
				return nil, false, false
			}
			if r == nil {
				continue
			}
			if at == nil || r.Cmp(at)*side > 0 || r.Cmp(at) == 0 && key == excluded {
				at, open = r, key == excluded
			}
		}
	}
	return at, open, true
}

// step is the smallest number of which all are multiples; nil: any number.
func (f *facts) step(isInteger bool) (step *big.Rat, ok bool) {
	if isInteger {
		step = big.NewRat(1, 1)
	}
	for _, s := range f.schemas {
		r, fine := rat(s.Value("multipleOf"))
		if !fine || r != nil && r.Sign() <= 0 {
			return nil, false
		}
		switch {
		case r == nil:
		case step == nil:
			step = r
		default: // the least common multiple of fractions in lowest terms
			num := new(big.Int).Mul(step.Num(), r.Num())
			num.Div(num, new(big.Int).GCD(nil, nil, step.Num(), r.Num()))
			step = new(big.Rat).SetFrac(num, new(big.Int).GCD(nil, nil, step.Denom(), r.Denom()))
		}
	}
	return step, true
}

// cells is the first or last place of the grid inside of a bound; nil without a bound.
func cells(bound, step *big.Rat, open, low bool) *big.Int {
	if bound == nil {
		return nil
	}
	q := new(big.Rat).Quo(bound, step)
	if low {
		k := ceil(q)
		if open && q.IsInt() {
			k.Add(k, big.NewInt(1))
		}
		return k
	}
	k := new(big.Int).Neg(ceil(q.Neg(q)))
	if open && q.IsInt() {
		k.Sub(k, big.NewInt(1))
	}
	return k
}

func ceil(r *big.Rat) *big.Int {
	k, rest := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	if rest.Sign() != 0 {
		k.Add(k, big.NewInt(1))
	}
	return k
}
