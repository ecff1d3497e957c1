package promclient

import (
	"bytes"
	"math"
	"strconv"
)

// appendFloat writes v as prometheus_client does for Python: repr(), but with an exponent from a million up.
func appendFloat(b []byte, v float64) []byte {
	switch whole := int64(v); {
	case v >= 0 && v < 1e6 && float64(whole) == v: // most samples are counts
		return append(strconv.AppendInt(b, whole, 10), ".0"...)
	case math.IsInf(v, 1):
		return append(b, "+Inf"...)
	case math.IsInf(v, -1):
		return append(b, "-Inf"...)
	case math.IsNaN(v):
		return append(b, "NaN"...)
	case v >= 1e6, v <= -1e16, math.Abs(v) < 1e-4:
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	if !bytes.ContainsRune(b[start:], '.') {
		b = append(b, ".0"...)
	}
	return b
}
