package pooling

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// format is how numbers are written: as JSON, as base64 or as bare bytes.
type format struct {
	encoding string // float, base64, bytes, bytes_only
	dtype    string // float32, float16, bfloat16, fp8_e4m3, fp8_e5m2
	big      bool   // the byte with the highest value comes first
}

// small are the widths of exponent and mantissa of the short formats. e4m3 is the one without infinities.
var small = map[string]struct{ exponent, mantissa int }{
	"float16": {5, 10}, "bfloat16": {8, 7}, "fp8_e4m3": {4, 3}, "fp8_e5m2": {5, 2},
}

// bytes are the numbers of a vector.
func (f format) bytes(v []float32) []byte {
	var order binary.AppendByteOrder = binary.LittleEndian
	if f.big {
		order = binary.BigEndian
	}
	var b []byte
	for _, x := range v {
		s, short := small[f.dtype]
		switch {
		case !short:
			b = order.AppendUint32(b, math.Float32bits(x))
		case s.exponent+s.mantissa+1 == 8:
			b = append(b, byte(narrow(x, s.exponent, s.mantissa)))
		default:
			b = order.AppendUint16(b, narrow(x, s.exponent, s.mantissa))
		}
	}
	return b
}

// narrow rounds a number to the nearest one of a shorter format, to the even one of two. Vectors hold numbers around 1,
// so there is no word about what is too large.
func narrow(x float32, exponent, mantissa int) uint16 {
	bias := 1<<(exponent-1) - 1
	sign := uint16(0)
	if math.Signbit(float64(x)) {
		sign = 1 << (exponent + mantissa)
	}
	magnitude := math.Abs(float64(x))
	if magnitude == 0 {
		return sign
	}
	_, power := math.Frexp(magnitude)
	unit := max(power-1, 1-bias) - mantissa // of the last place
	steps := int(math.RoundToEven(math.Ldexp(magnitude, -unit)))
	// steps counts from zero in subnormals and from the implicit one above; a carry moves into the exponent by itself.
	bits := steps
	if top := unit + mantissa + bias; top >= 1 && steps >= 1<<mantissa {
		bits = (top-1)<<mantissa + steps
	}
	return sign | uint16(bits)
}

// append writes a vector into a JSON body.
func (f format) append(dst []byte, v []float32) []byte {
	if f.encoding == "base64" {
		return append(append(append(dst, '"'), base64.StdEncoding.EncodeToString(f.bytes(v))...), '"')
	}
	dst = append(dst, '[')
	for i, x := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, pyjson.Float(float64(x))...)
	}
	return append(dst, ']')
}

// signs packs the signs of a vector, eight to a byte, the first one highest.
func signs(v []float32) []byte {
	packed := make([]byte, len(v)/8)
	for i, x := range v {
		if x >= 0 {
			packed[i/8] |= 0x80 >> (i % 8)
		}
	}
	return packed
}
