package scoring

import (
	"math"
	"testing"
)

// TestExp compares with the C library, where Go's own is off by a bit.
func TestExp(t *testing.T) {
	f := func(x, want float64) {
		t.Helper()
		if got := exp(x); got != want {
			t.Errorf("exp(%v) = %v, want %v", x, got, want)
		}
	}
	f(-3.2579648636138145, 0.03846660319527395)
	f(-89.33170425576351, 1.5985778192503502e-39)
	f(-0.43276706790505337, 0.6487115799549883)
	f(0, 1)
	f(math.Inf(-1), 0)
}
