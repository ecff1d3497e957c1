package report

import (
	"fmt"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/expect"
)

// verdict is a condition of --fail-if as people read it.
type verdict struct {
	Condition, Measured string
	Failed              bool
}

func (r *Report) judged() []verdict {
	var all []verdict
	for _, v := range r.Conditions {
		all = append(all, verdict{v.Condition, measured(v), v.Failed})
	}
	return all
}

func measured(v expect.Verdict) string {
	if v.Value == nil {
		return "nothing was measured"
	}
	switch v.Unit {
	case "share":
		return "measured " + percent(*v.Value)
	case "":
		return fmt.Sprintf("measured %.6g", *v.Value)
	}
	return "measured " + number(*v.Value) + " " + v.Unit
}
