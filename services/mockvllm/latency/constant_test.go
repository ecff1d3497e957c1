package latency

import (
	"testing"
	"time"
)

func TestDeadlinesAreAbsolute(t *testing.T) {
	start := time.Unix(1000, 0)
	c := Constant{TTFT: 100 * time.Millisecond, ITL: 20 * time.Millisecond}
	for i, want := range map[int]time.Duration{0: 100 * time.Millisecond, 1: 120 * time.Millisecond, 1000: 20100 * time.Millisecond} {
		if got := c.Due(start, i).Sub(start); got != want {
			t.Errorf("token %d is due after %s, want %s", i, got, want)
		}
	}
	if got := (Constant{}).Due(start, 7); !got.Equal(start) {
		t.Errorf("the zero value waits until %s", got)
	}
}
