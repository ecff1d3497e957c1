package expect

import (
	"fmt"
	"regexp"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
)

// Condition is what a run must not be.
type Condition struct {
	Text string
	metric
	operator string
	bound    float64 // in the metric's own unit
}

var form = regexp.MustCompile(`^\s*([a-z0-9_]+)\s*(<=|>=|<|>)\s*(\S.*?)\s*$`)

// Parse reads one condition. What names no figure, or compares it with what it cannot be, is refused with what could stand there.
func Parse(text string) (Condition, error) {
	parts := form.FindStringSubmatch(text)
	if parts == nil {
		return Condition{}, fmt.Errorf("--fail-if %q: write a name, one of < <= > >=, and a value, such as 'ttft_p99 > 500ms'; names are %s", text, Names())
	}
	m, ok := lookUp(parts[1])
	if !ok {
		return Condition{}, fmt.Errorf("--fail-if %q: there is no %s; names are %s", text, parts[1], Names())
	}
	bound, err := m.read(parts[3])
	if err != nil || bound < 0 {
		return Condition{}, fmt.Errorf("--fail-if %q: %s is compared with %s", text, m.name, m.hint)
	}
	return Condition{text, m, parts[2], bound}, nil
}

// Possible tells whether a run can measure what the condition names.
func (c Condition) Possible(stream, open bool) error {
	switch c.latency {
	case result.TTFTScheduled, result.E2EScheduled:
		if !open {
			return fmt.Errorf("--fail-if %q: only with --rate do requests have a schedule", c.Text)
		}
	}
	switch c.latency {
	case result.TTFT, result.ITL, result.TPOT, result.TTFTScheduled:
		if !stream {
			return fmt.Errorf("--fail-if %q: without a stream there is no %s", c.Text, c.latency)
		}
	}
	return nil
}

// Verdict is a condition after the run. Value is null when nothing was measured, which fails too.
type Verdict struct {
	Condition string   `json:"condition"`
	Value     *float64 `json:"value"`
	Unit      string   `json:"unit"` // ms for a latency, share for one from 0 to 1, else ""
	Failed    bool     `json:"failed"`
}

// Judge holds the condition against a run.
func (c Condition) Judge(s *result.Summary) Verdict {
	value, measured := c.of(s)
	if !measured {
		return Verdict{Condition: c.Text, Unit: c.unit, Failed: true}
	}
	v := Verdict{Condition: c.Text, Value: &value, Unit: c.unit}
	switch c.operator {
	case "<":
		v.Failed = value < c.bound
	case "<=":
		v.Failed = value <= c.bound
	case ">":
		v.Failed = value > c.bound
	case ">=":
		v.Failed = value >= c.bound
	}
	return v
}
