package unit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// TestConditions walks through a life, an event a second, and reads the conditions after each.
func TestConditions(t *testing.T) {
	s := unit.New(mended, unit.Before{}, begin)
	at := func(second int) time.Time { return begin.Add(time.Duration(second) * time.Second) }
	for i, step := range []struct {
		event                          unit.Event
		routable, healthy, progressing string // answer, second since when it holds, reason, message
	}{
		{is(unit.Start), "false 0", "false 0", "true 1"},
		{because(unit.Waiting, unit.WaitingForSlot), "false 0 WaitingForSlot", "false 0", "true 1 WaitingForSlot"},
		{is(unit.Admitted), "false 0", "false 0", "true 1"},
		{loading(43), "false 0 loading weights 43 %", "false 0", "true 1 loading weights 43 %"},
		{sick, "false 0 loading weights 43 %", "false 0 health check answered 503", "true 1 loading weights 43 %"},
		{healthy, "true 6", "true 6", "false 6"},
		{sick, "true 6", "false 7 health check answered 503", "false 6"},
		{sick, "true 6", "false 7 health check answered 503", "false 6"},
		{sick, "false 9 LivenessFailed health check answered 503", "false 7 health check answered 503", "true 9 LivenessFailed health check answered 503"},
		{ended(unit.Finding{}), "false 9 LivenessFailed health check answered 503", "false 7", "true 9 LivenessFailed health check answered 503"},
		{is(unit.Stop), "false 9", "false 7", "false 11"},
	} {
		step.event.At = at(i + 1)
		s, _ = unit.Step(s, step.event)
		for n, want := range []string{step.routable, step.healthy, step.progressing} {
			c := s.Conditions[n]
			got := fmt.Sprintf("%t %d", c.Status, int(c.Since.Sub(begin).Seconds()))
			for _, word := range []string{string(c.Reason), c.Message} {
				if word != "" {
					got += " " + word
				}
			}
			if got != want {
				t.Errorf("after %d events %s is %q, want %q", i+1, c.Type, got, want)
			}
		}
	}
}
