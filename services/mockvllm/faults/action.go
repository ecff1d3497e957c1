package faults

import (
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

func (r *reader) action(at string, n *node) (a Action) {
	place := func(to **int) func(string, *node) {
		return func(at string, n *node) {
			*to = new(int)
			r.Whole(*to, 0, math.MaxInt)(at, n)
		}
	}
	r.Object(at, n, document.Fields{
		"delay":       r.duration(&a.Delay, 0),
		"rate_limit":  func(at string, n *node) { a.RateLimit = r.rate(at, n) },
		"status":      r.status(&a.Status),
		"message":     r.Text(&a.Message),
		"body":        func(at string, n *node) { a.Body = new(string); r.Text(a.Body)(at, n) },
		"retry_after": r.duration(&a.RetryAfter, 0),

		"cut":       place(&a.Cut),
		"reset":     place(&a.Reset),
		"stall":     place(&a.Stall),
		"stall_for": r.duration(&a.StallFor, 1),
		"malformed": place(&a.Malformed),
		"crash":     place(&a.Crash),
		"oom":       place(&a.OOM),

		"trickle":      r.Whole(&a.Trickle, 1, math.MaxInt32),
		"split":        r.Whole(&a.Split, 1, math.MaxInt32),
		"join":         r.Whole(&a.Join, 2, 1000),
		"wrong_length": r.wrong(&a.WrongLength),

		"refuse":   r.yes(&a.Refuse),
		"shutdown": func(at string, n *node) { r.shutdown(&a.Shutdown, at, n) },
	})
	if n.Kind == document.Mapping && len(n.Members) == 0 {
		r.Add(at, "nothing to do; write delay, status, rate_limit, cut or another fault")
	}
	r.combination(at, a)
	return a
}

// combination checks what does not go together.
func (r *reader) combination(at string, a Action) {
	if a.Status == 0 {
		for _, f := range []struct {
			name  string
			given bool
		}{{"message", a.Message != ""}, {"body", a.Body != nil}, {"retry_after", a.RetryAfter != 0}} {
			if f.given {
				r.Add(strings.TrimPrefix(at+"."+f.name, "."), "only goes with a status")
			}
		}
	}
	if a.Body != nil && a.Message != "" {
		r.Add(at, "message and body are two answers; keep one")
	}
	if a.StallFor != 0 && a.Stall == nil {
		r.Add(strings.TrimPrefix(at+".stall_for", "."), "only goes with a stall")
	}
	ends := 0
	for _, end := range []bool{a.Cut != nil, a.Reset != nil, a.Crash != nil, a.OOM != nil, a.WrongLength != 0} {
		if end {
			ends++
		}
	}
	if ends > 1 {
		r.Add(at, "cut, reset, crash, oom and wrong_length each end the answer; keep one")
	}
}

func (r *reader) status(to *int) func(string, *node) {
	return func(at string, n *node) {
		before := r.Faults()
		r.Whole(to, math.MinInt, math.MaxInt)(at, n)
		if r.Faults() == before && (*to < http.StatusBadRequest || *to > 599) {
			r.Add(at, "%d is not an error, which are 400 to 599", *to)
		}
	}
}

func (r *reader) wrong(to *int) func(string, *node) {
	return func(at string, n *node) {
		before := r.Faults()
		r.Whole(to, -1<<20, 1<<20)(at, n)
		if r.Faults() == before && *to == 0 {
			r.Add(at, "0 is the right length")
		}
	}
}

func (r *reader) yes(to *bool) func(string, *node) {
	return func(at string, n *node) {
		if r.Is(at, n, document.Boolean) {
			if *to = n.Text == "true"; !*to {
				r.Add(at, "false does nothing; leave it out")
			}
		}
	}
}

func (r *reader) shutdown(to *string, at string, n *node) {
	if r.Text(to)(at, n); *to != "" && *to != Hang || n.Kind == document.Text && *to == "" {
		r.Add(at, `%q is not known; write "hang"`, *to)
	}
}

func (r *reader) rate(at string, n *node) *Rate {
	if n.Kind == document.Text {
		var f RateFlag
		if err := f.UnmarshalText([]byte(n.Text)); err != nil {
			r.Add(at, "%v", err)
		}
		return &f.Rate
	}
	rate := Rate{}
	r.Object(at, n, document.Fields{
		"requests": r.Whole(&rate.Requests, 1, 1_000_000),
		"window":   r.duration(&rate.Window, 1),
		"per": func(at string, n *node) {
			if r.Text(&rate.Per)(at, n); n.Kind == document.Text && rate.Per != PerKey {
				r.Add(at, `%q is not known; write "key", or leave it out`, rate.Per)
			}
		},
	})
	for _, name := range []string{"requests", "window"} {
		if n.Kind == document.Mapping && !slices.ContainsFunc(n.Members, func(m document.Member) bool { return m.Name == name }) {
			r.Add(at+"."+name, "missing")
		}
	}
	return &rate
}
