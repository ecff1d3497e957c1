package report

import (
	"math"
	"strings"
	"testing"
)

// A gap in a line, where nothing was measured, neither hides what is beside it nor lowers the axis.
func TestGaps(t *testing.T) {
	points := []point{{0, 10, ""}, {1, 100, ""}, {2, math.NaN(), ""}, {3, 30, ""}, {4, math.NaN(), ""}}
	c := draw("Latency", "ms", "", "seconds", 4, nil, []line{{"p50", "a", points}})
	if top := c.YTicks[len(c.YTicks)-1]; top.Label != "120" || top.At != marginTop {
		t.Errorf("the axis ends with %+v", top)
	}
	if path := c.Lines[0].Path; strings.Count(path, "M") != 2 || strings.Count(path, "h0") != 2 || strings.Contains(path, "NaN") || len(c.Dots) != 3 {
		t.Errorf("%s with %d dots", path, len(c.Dots))
	}
}

func TestNiceStep(t *testing.T) {
	for top, want := range map[float64]float64{0: 1, 5: 1, 6: 2, 100: 20, 101: 50, .3: .1, 12345: 5000} {
		if got := niceStep(top, 5); math.Abs(got-want) > 1e-9 {
			t.Errorf("%g: %g, want %g", top, got, want)
		}
	}
}
