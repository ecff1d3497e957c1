package protocol_test

import (
	"math"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// TestFloats: as pydantic_core.to_json writes them; what JSON does not have is null, as in models of vLLM.
func TestFloats(t *testing.T) {
	f := func(x float64, want string) {
		t.Helper()
		if got := string(protocol.AppendFloat([]byte("["), x)); got != "["+want {
			t.Errorf("%g: %s, want [%s", x, got, want)
		}
	}
	f(0, "0.0")
	f(math.Copysign(0, -1), "-0.0")
	f(1, "1.0")
	f(-1, "-1.0")
	f(1.5, "1.5")
	f(1.0/3, "0.3333333333333333")
	f(100, "100.0")
	f(123456789, "123456789.0")
	f(1e15, "1000000000000000.0")
	f(9999999999999998, "9999999999999998.0")
	f(1e16, "1e+16")
	f(1.5e16, "1.5e+16")
	f(123456789012345680, "1.2345678901234568e+17")
	f(1e21, "1e+21")
	f(-1e300, "-1e+300")
	f(math.MaxFloat64, "1.7976931348623157e+308")
	f(math.SmallestNonzeroFloat64, "5e-324")
	f(1e-4, "0.0001")
	f(1e-5, "0.00001")
	f(1.2345678901234568e-05, "0.000012345678901234568")
	f(9.99e-6, "9.99e-6")
	f(1e-6, "1e-6")
	f(-2.5e-7, "-2.5e-7")
	f(1e-10, "1e-10")
	f(1e-100, "1e-100")
	f(float64(float32(-1.0375)), "-1.037500023841858")
	f(4503599627370497.5, "4503599627370498.0")
	f(math.NaN(), "null")
	f(math.Inf(-1), "null")
}
