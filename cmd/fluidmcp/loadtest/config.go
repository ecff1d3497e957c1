package loadtest

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

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
	Seed        uint64

	Prompts string // a file of JSON lines; "" is synthetic prompts
	Input   string // length of synthetic prompts
	Output  string // length of answers; "0" leaves it to the model

	FailIf []string // conditions that the run must not fulfil

	Samples io.Writer // takes a JSON line for each request; nil for none
	Live    io.Writer // a terminal that shows progress; nil for none
}

// Default is a short closed loop against a local FluidMCP.
func Default() Config {
	return Config{URL: "http://localhost:8099", Endpoint: "chat", Stream: true, Concurrency: 10, Arrivals: "poisson",
		Timeout: 2 * time.Minute, Seed: 1, Input: "64", Output: "64"}
}

// plan is a config that was checked.
type plan struct {
	Config
	arrivals       *arrival.Plan // nil for a closed loop
	warmupRequests int
	warmupTime     time.Duration
	source         *prompt.Source
	conditions     []expect.Condition
}

// check returns all faults, joined. The model is filled in later.
func (c Config) check() (*plan, error) {
	p := &plan{Config: c}
	var all []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	fault(c.Endpoint != "chat" && c.Endpoint != "completions", "--endpoint %q: use chat or completions", c.Endpoint)
	fault(c.Requests < 0 || c.Duration < 0 || (c.Requests > 0) == (c.Duration > 0), "give either --requests or --duration, above 0")
	fault(c.Timeout <= 0, "--timeout %s: use a time above 0", c.Timeout)
	fault(c.Concurrency < 0 || c.Concurrency == 0 && c.Rate == 0, "--concurrency %d: use a number above 0", c.Concurrency)
	all = append(all, p.open(), p.warmup())
	for _, text := range c.FailIf {
		condition, err := expect.Parse(text)
		if err == nil {
			err = condition.Possible(c.Stream, c.Rate != 0)
		}
		all = append(all, err)
		p.conditions = append(p.conditions, condition)
	}
	return p, errors.Join(append(all, p.prompts())...)
}

func (p *plan) open() (err error) {
	if p.Rate != 0 {
		p.arrivals, err = arrival.New(p.Arrivals, p.Rate, p.Seed)
	}
	return err
}

func (p *plan) warmup() (err error) {
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

func (p *plan) prompts() error {
	var all []error
	length := func(flag, text string) prompt.Length {
		l, err := prompt.ParseLength(text)
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", flag, err))
		}
		return l
	}
	opts := prompt.Options{Model: p.Model, Chat: p.Endpoint == "chat", Stream: p.Stream, Seed: p.Seed,
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
