package faults

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Set is what PUT /mock/faults takes.
type Set struct {
	Seed  int64  `json:"seed"`
	Rules []Rule `json:"rules"`
}

// Rule says what to do with which requests. All rules are tried in order; the first error ends the request.
type Rule struct {
	Match Match  `json:"match,omitzero"`
	Do    Action `json:"do"`
}

// Match selects requests.
type Match struct {
	Path    string   `json:"path,omitempty"`    // exact; "" is every path that generates
	Percent *float64 `json:"percent,omitempty"` // share of those that is hit, 0 to 100; nil is all
}

// Action is one kind of fault.
type Action struct {
	Delay     Duration `json:"delay,omitzero"`      // wait before the request is looked at
	Status    int      `json:"status,omitempty"`    // answer with this error
	Message   string   `json:"message,omitempty"`   // of the error; "Model error" unless given
	RateLimit *Rate    `json:"rate_limit,omitzero"` // turn away what exceeds it
}

// Rate allows so many requests in any window of time.
type Rate struct {
	Requests int      `json:"requests"`
	Window   Duration `json:"window"`
}

var _ encoding.TextUnmarshaler = (*RateFlag)(nil)

// RateFlag is a Rate in the short form of flags, such as 10/60s. The zero value is no limit.
type RateFlag struct{ Rate }

// UnmarshalText reads the short form.
func (r *RateFlag) UnmarshalText(text []byte) error {
	n, window, ok := strings.Cut(string(text), "/")
	requests, err := strconv.Atoi(n)
	if !ok || err != nil {
		return fmt.Errorf("rate limit %q: write requests/window, such as 10/60s", text)
	}
	d, err := time.ParseDuration(window)
	if err != nil {
		return fmt.Errorf("rate limit %q: %w", text, err)
	}
	r.Rate = Rate{requests, Duration(d)}
	return errors.Join(r.faults("rate limit")...)
}

// Duration is a time.Duration that JSON writes as "1m30s".
type Duration time.Duration

// MarshalText writes the Go form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads the Go form.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Parse reads a Set strictly and validates it.
func Parse(text []byte) (Set, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var s Set
	if err := dec.Decode(&s); err != nil {
		return Set{}, fmt.Errorf("read fault rules: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Set{}, errors.New("read fault rules: text after the object")
	}
	return s, s.Validate()
}

// Validate returns all faults of all rules, joined.
func (s Set) Validate() error {
	var all []error
	for i, r := range s.Rules {
		all = append(all, r.faults(fmt.Sprintf("rules[%d]", i))...)
	}
	return errors.Join(all...)
}

func (r Rule) faults(at string) (all []error) {
	bad := func(format string, args ...any) { all = append(all, fmt.Errorf(at+format, args...)) }
	if p := r.Match.Path; p != "" && !strings.HasPrefix(p, "/") {
		bad(".match.path: %q does not begin with a slash", p)
	}
	if p := r.Match.Percent; p != nil && !(*p >= 0 && *p <= 100) {
		bad(".match.percent: %g is not within 0 and 100", *p)
	}
	do := r.Do
	kinds := 0
	for _, set := range []bool{do.Delay != 0, do.Status != 0, do.RateLimit != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		bad(".do: %d actions, want exactly one of delay, status, rate_limit", kinds)
	}
	if do.Delay < 0 {
		bad(".do.delay: %s is negative", time.Duration(do.Delay))
	}
	if do.Status != 0 && (do.Status < http.StatusBadRequest || do.Status > 599) {
		bad(".do.status: %d is not an error, which are 400 to 599", do.Status)
	}
	if do.Message != "" && do.Status == 0 {
		bad(".do.message: only goes with a status")
	}
	if do.RateLimit != nil {
		all = append(all, do.RateLimit.faults(at+".do.rate_limit")...)
	}
	return all
}

func (r Rate) faults(at string) (all []error) {
	if r.Requests < 1 {
		all = append(all, fmt.Errorf("%s: %d requests, want at least 1", at, r.Requests))
	}
	if r.Window <= 0 {
		all = append(all, fmt.Errorf("%s: window of %s, want more than 0", at, time.Duration(r.Window)))
	}
	return all
}
