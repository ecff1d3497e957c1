package pyjson

import (
	"math"
	"strconv"
	"strings"
)

// Number is a number as it was written: by RFC 8259, or one of NaN, Infinity and -Infinity.
type Number string

// IsInt tells whether Python reads the number as an int, which has no bounds.
func (n Number) IsInt() bool { return !strings.ContainsAny(string(n), ".eEIN") }

// Int64 is the number as an int64; false if it is a float or out of range.
func (n Number) Int64() (int64, bool) {
	i, err := strconv.ParseInt(string(n), 10, 64)
	return i, err == nil
}

// Float is the number as a float; what is too big is an infinity, as in Python.
func (n Number) Float() float64 {
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil && !math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

// String is Python's str of the number.
func (n Number) String() string {
	switch {
	case !n.IsInt():
		return Float(n.Float())
	case n == "-0":
		return "0"
	}
	return string(n)
}

// Float is Python's repr of a float, which is its str too.
func Float(f float64) string {
	var room [32]byte
	return string(appendFloat(room[:0], f))
}

func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, '.', '0')
}
