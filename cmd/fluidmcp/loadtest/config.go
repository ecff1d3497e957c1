package loadtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/arrival"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/expect"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/prompt"
)

// Config is what a run is.
type Config struct {
	URL      string // of the server, with or without /v1
	Model    string // "" for the only one
	APIKey   string // "" sends none
	Endpoint string // chat or completions
	Stream   bool

	Concurrency int           // requests at a time; with Rate the most, 0 for no limit
	Rate        float64       // requests per second of an open loop; 0 is a closed loop
	Arrivals    string        // constant or poisson
	Requests    int           // to measure; 0 when Duration ends the run
	Duration    time.Duration // in which measured requests are sent; 0 when Requests ends the run
	Warmup      string        // a number of requests or a duration before those that are measured; "" is none
	Timeout     time.Duration // of one request
	Seed        uint64        // 0 is drawn anew for each run

	Prompts string // a file of JSON lines; "" is synthetic prompts
	Input   string // length of synthetic prompts
	Output  string // length of answers; "0" leaves it to the model

	FailIf []string // conditions that the run must not fulfil
}

// Default is a short closed loop against a local FluidMCP.
func Default() Config {
	return Config{URL: "http://localhost:8099", Endpoint: "chat", Stream: true, Concurrency: 10, Arrivals: "poisson",
		Timeout: 2 * time.Minute, Input: "64", Output: "64"}
}

// Plan is a config that was checked.
type Plan struct {
	Config
	base           *url.URL
	arrivals       *arrival.Plan // nil for a closed loop
	warmupRequests int
	warmupTime     time.Duration
	source         *prompt.Source
	conditions     []expect.Condition
}

// Prepare checks a config and returns all its faults, joined. It sends no load; it asks the server which model it has when none
// is named.
func Prepare(ctx context.Context, c Config) (*Plan, error) {
	p := &Plan{Config: c}
	if p.Seed == 0 {
		p.Seed = 1 + rand.Uint64N(1_000_000) // short enough to be typed again
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.Model == "" {
		var err error
		if p.Model, err = c.onlyModel(ctx); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Plan) check() error {
	var all []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	var err error
	p.base, err = p.address()
	all = append(all, err)
	fault(p.Endpoint != "chat" && p.Endpoint != "completions", "--endpoint %q: use chat or completions", p.Endpoint)
	fault(strings.ContainsFunc(p.APIKey, unicode.IsControl), "--api-key: the key has a line break or another control character in it")
	fault(p.Requests < 0 || p.Duration < 0 || (p.Requests > 0) == (p.Duration > 0), "give either --requests or --duration, above 0")
	fault(p.Timeout <= 0, "--timeout %s: use a time above 0", p.Timeout)
	fault(p.Concurrency < 0, "--concurrency %d: use a number above 0", p.Concurrency)
	fault(p.Concurrency == 0 && p.Rate == 0, "--concurrency and --rate are both 0; a closed loop needs the one, an open loop the other")
	all = append(all, p.open(), p.warmup())
	for _, text := range p.FailIf {
		condition, err := expect.Parse(text)
		if err == nil {
			err = condition.Possible(p.Stream, p.Rate != 0)
		}
		all = append(all, err)
		p.conditions = append(p.conditions, condition)
	}
	return errors.Join(append(all, p.prompts())...)
}

// open plans the arrivals also of a closed loop, to check them.
func (p *Plan) open() error {
	arrivals, err := arrival.New(p.Arrivals, cmp.Or(p.Rate, 1), p.Seed)
	if p.Rate != 0 {
		p.arrivals = arrivals
	}
	return err
}

func (p *Plan) warmup() (err error) {
	if p.Warmup == "" {
		return nil
	}
	if p.warmupRequests, err = strconv.Atoi(p.Warmup); err != nil {
		p.warmupTime, err = time.ParseDuration(p.Warmup)
	}
	if err != nil || p.warmupRequests < 0 || p.warmupTime < 0 {
		return fmt.Errorf("--warmup %q: use a number of requests such as 50, or a time such as 5s", p.Warmup)
	}
	return nil
}

func (p *Plan) prompts() error {
	var all []error
	length := func(flag, text string) prompt.Length {
		l, err := prompt.ParseLength(text)
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", flag, err))
		}
		return l
	}
	opts := prompt.Options{Chat: p.Endpoint == "chat", Stream: p.Stream, Seed: p.Seed,
		Input: length("--input-tokens", p.Input), Output: length("--output-tokens", p.Output)}
	p.source = prompt.Synthetic(opts)
	if p.Prompts != "" {
		var err error
		if p.source, err = prompt.Load(p.Prompts, opts); err != nil {
			all = append(all, fmt.Errorf("--prompts: %w", err))
		}
	}
	return errors.Join(all...)
}
