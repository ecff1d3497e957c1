package latency

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"
)

// Profile is how long the steps of a server take:
//
//	step = step_base_us
//	     + step_per_sequence_us × sequences that get a token
//	     + step_per_context_token_us × tokens that these sequences look back on
//	     + prompt tokens computed in the step ÷ prefill_tokens_per_second
type Profile struct {
	PrefillTokensPerSecond float64 `json:"prefill_tokens_per_second"`
	StepBase               float64 `json:"step_base_us"`              // microseconds
	StepPerSequence        float64 `json:"step_per_sequence_us"`      // microseconds
	StepPerContextToken    float64 `json:"step_per_context_token_us"` // microseconds
}

// Batch is the work of one step.
type Batch struct {
	Prefill   int // prompt tokens to be computed
	Sequences int // that get a token
	Context   int // tokens that these have before it, in sum
}

// maxProfile bounds the file, which has four numbers.
const maxProfile = 64 << 10

// LoadProfile reads a JSON file.
func LoadProfile(path string) (*Profile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open profile: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxProfile))
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	p, err := parseProfile(data)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", path, err)
	}
	return p, nil
}

// parseProfile reads a JSON object with the fields of Profile. Unknown fields are errors; those left out are 0, except for
// the rate of the prefill, which must be there.
func parseProfile(data []byte) (*Profile, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	p := &Profile{}
	if err := decoder.Decode(p); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	if err := p.validate(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Profile) validate() error {
	var all []error
	if !(p.PrefillTokensPerSecond > 0) {
		all = append(all, fmt.Errorf("prefill_tokens_per_second: %g is not positive", p.PrefillTokensPerSecond))
	}
	for _, field := range []struct {
		name string
		us   float64
	}{{"step_base_us", p.StepBase}, {"step_per_sequence_us", p.StepPerSequence}, {"step_per_context_token_us", p.StepPerContextToken}} {
		if field.us < 0 || field.us > float64(longest/time.Microsecond) {
			all = append(all, fmt.Errorf("%s: %g is not within 0 and %d", field.name, field.us, longest/time.Microsecond))
		}
	}
	return errors.Join(all...)
}

func (p *Profile) step(b Batch) time.Duration {
	us := p.StepBase + p.StepPerSequence*float64(b.Sequences) + p.StepPerContextToken*float64(b.Context) +
		float64(b.Prefill)/p.PrefillTokensPerSecond*1e6
	return time.Duration(math.Round(min(us, float64(longest/time.Microsecond)) * float64(time.Microsecond)))
}
