package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/expect"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/report"
)

// conditionMet is the exit code of a load test whose result --fail-if names.
const conditionMet = 3

// loadtestFlags are the flags that say where the results go; the others are in the config.
type loadtestFlags struct {
	cfg           loadtest.Config
	noStream      bool
	asJSON        bool
	html, samples string
}

func newLoadtest() *cobra.Command {
	f := loadtestFlags{cfg: loadtest.Default()}
	cmd := &cobra.Command{
		Use:   "loadtest",
		Short: "Send load to an OpenAI-compatible server and measure how it answers",
		Long: `Send load to an OpenAI-compatible server and measure how it answers.

A closed loop keeps --concurrency requests in flight, each followed by the next. An open loop sends --rate requests per second
whatever becomes of them, as many independent users do; its latencies count from the planned time too, so that a server that
stalls cannot hide the requests that it holds back. Without --concurrency nothing bounds how many such a server collects.
Failures are counted by kind and kept out of the latencies. Ctrl-C ends the run early and reports what was measured.

What --fail-if can name: ` + expect.Names() + `.

Exit codes: 0 when the run was made, 1 when it could not be or no request succeeded, 3 when a --fail-if is met, 130 when it was
ended early.`,
		Example: `  fluidmcp loadtest -c 20 -n 500                                        20 at a time against localhost:8099
  fluidmcp loadtest --rate 50 --duration 30s --warmup 5s --html run.html  50 per second, with a page to look at
  fluidmcp loadtest --url https://gpu-7:8000 --model llama --prompts questions.jsonl --output-tokens 0 -n 1000
  fluidmcp loadtest -n 500 --fail-if 'ttft_p99 > 500ms' --fail-if 'error_rate > 1%' --json > run.json`,
		Args: cli.AtMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.add(cmd)
	for flag, complete := range map[string]cobra.CompletionFunc{
		"endpoint": cobra.FixedCompletions([]string{"chat", "completions"}, cobra.ShellCompDirectiveNoFileComp),
		"arrivals": cobra.FixedCompletions([]string{"poisson", "constant"}, cobra.ShellCompDirectiveNoFileComp),
		"model":    f.models,
	} {
		if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
			panic(err) // there is no such flag
		}
	}
	for flag, ending := range map[string]string{"prompts": "jsonl", "html": "html", "samples": "jsonl"} {
		if err := cmd.MarkFlagFilename(flag, ending); err != nil {
			panic(err) // there is no such flag
		}
	}
	return cmd
}

func (f *loadtestFlags) add(cmd *cobra.Command) {
	c, flags := &f.cfg, cmd.Flags()
	flags.SortFlags = false
	cli.URL(cmd, &c.URL, "server to test")
	flags.StringVar(&c.Model, "model", "", "model to ask; without it, the only one that the server lists")
	flags.StringVar(&c.APIKey, "api-key", "", "key to send (environment: OPENAI_API_KEY)")
	flags.StringVar(&c.Endpoint, "endpoint", c.Endpoint, "chat or completions")
	flags.BoolVar(&c.Stream, "stream", c.Stream, "ask for event streams")
	flags.BoolVar(&f.noStream, "no-stream", false, "ask for whole answers")
	flags.IntVarP(&c.Concurrency, "concurrency", "c", c.Concurrency, "requests at a time; with --rate the most, by default without limit")
	flags.Float64Var(&c.Rate, "rate", 0, "requests per second of an open loop")
	flags.StringVar(&c.Arrivals, "arrivals", c.Arrivals, "of an open loop: poisson (as of many independent users) or constant")
	flags.IntVarP(&c.Requests, "requests", "n", 0, "requests to measure (200 when neither this nor --duration is given)")
	flags.DurationVar(&c.Duration, "duration", 0, "how long to send requests that are measured; those in flight then may complete")
	flags.StringVar(&c.Warmup, "warmup", "", "what comes before and is not measured: a number of requests, or a time such as 5s")
	flags.DurationVar(&c.Timeout, "timeout", c.Timeout, "time allowed for one request")
	flags.StringVar(&c.Input, "input-tokens", c.Input, "length of the synthetic prompts: 128, or 64-512 for each length equally often")
	flags.StringVar(&c.Output, "output-tokens", c.Output, "length of the answers, likewise; 0 leaves it to the model (and to --prompts)")
	flags.StringVar(&c.Prompts, "prompts", "", `file with a JSON object per line: {"prompt": ...}, {"messages": ...} or a whole request`)
	flags.Uint64Var(&c.Seed, "seed", 0, "decides prompts, lengths and Poisson arrivals; drawn anew for each run unless given")
	flags.StringArrayVar(&c.FailIf, "fail-if", nil, "condition such as 'ttft_p99 > 500ms' that makes the exit code 3; repeatable")
	flags.BoolVar(&f.asJSON, "json", false, "print the report as JSON")
	flags.StringVar(&f.html, "html", "", "write the report as one HTML page to this file")
	flags.StringVar(&f.samples, "samples", "", "write each request as a JSON line to this file")
	cmd.MarkFlagsMutuallyExclusive("stream", "no-stream")
	cmd.MarkFlagsMutuallyExclusive("requests", "duration")
	cmd.MarkFlagsMutuallyExclusive("prompts", "input-tokens")
}

// complete fills in what depends on which flags were given.
func (f *loadtestFlags) complete(cmd *cobra.Command) {
	given := cmd.Flags().Changed
	c := &f.cfg
	c.Stream = c.Stream && !f.noStream
	if !given("requests") && !given("duration") {
		c.Requests = 200
	}
	if given("rate") && !given("concurrency") {
		c.Concurrency = 0
	}
	if c.Prompts != "" && !given("output-tokens") {
		c.Output = "0" // the file may say
	}
	if c.APIKey == "" {
		c.APIKey = os.Getenv("OPENAI_API_KEY")
	}
}

// terminal is where a person sees progress, if there is one that can rewrite a line.
func terminal(cmd *cobra.Command) io.Writer {
	if w, ok := cmd.ErrOrStderr().(*os.File); ok && term.IsTerminal(int(w.Fd())) && os.Getenv("TERM") != "dumb" {
		return w
	}
	return nil
}

func (f *loadtestFlags) run(cmd *cobra.Command) error {
	f.complete(cmd)
	switch given := cmd.Flags().Changed; {
	case f.html != "" && f.html == f.samples:
		return fmt.Errorf("--html and --samples both name %s", f.html)
	case given("arrivals") && !given("rate"):
		return errors.New("--arrivals is of an open loop; give its --rate too")
	}
	plan, err := loadtest.Prepare(cmd.Context(), f.cfg)
	if err != nil {
		return err
	}
	// Opened before the run, which must not end with nowhere to put its report, but not before it is sure to take place.
	page, err := create(f.html)
	if err != nil {
		return err
	}
	samples, err := create(f.samples)
	if err != nil {
		return errors.Join(err, page.close())
	}
	r, err := plan.Run(cmd.Context(), samples.writer(), terminal(cmd))
	if page != nil {
		err = errors.Join(err, r.HTML(page))
	}
	// Closed before anything is printed: whoever reads that may be gone, which ends the program.
	err = errors.Join(err, samples.close(), page.close())
	return cmp.Or(errors.Join(f.print(cmd.OutOrStdout(), r), err), verdict(r))
}

func (f *loadtestFlags) print(w io.Writer, r *report.Report) error {
	if f.asJSON {
		return r.JSON(w)
	}
	if err := r.Text(w); err != nil || f.html == "" {
		return err
	}
	_, err := fmt.Fprintf(w, "\nThe page is in %s\n", f.html)
	return err
}

// verdict is the error that gives the exit code.
func verdict(r *report.Report) error {
	switch {
	case r.Failed():
		return cli.ExitCode(conditionMet)
	case r.Interrupted:
		return cli.ExitCode(interrupted)
	case r.Requests.OK > 0:
		return nil
	}
	kinds, mend := make([]string, 0, len(r.Failures)), ""
	for _, failure := range r.Failures {
		if failure.Kind == "http_401" {
			mend = "; --api-key sends a key"
		}
		kinds = append(kinds, fmt.Sprintf("%d %s", failure.Count, failure.Kind))
	}
	return fmt.Errorf("no request succeeded: %s%s", strings.Join(kinds, ", "), mend)
}

// output is a file that is written through a buffer. A nil one is a file that nobody asked for.
type output struct {
	*bufio.Writer
	file *os.File
}

func create(path string) (*output, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &output{bufio.NewWriter(file), file}, nil
}

func (o *output) writer() io.Writer {
	if o == nil {
		return nil
	}
	return o
}

func (o *output) close() error {
	if o == nil {
		return nil
	}
	return errors.Join(o.Flush(), o.file.Close())
}

// models offers the models of the server under test.
func (f *loadtestFlags) models(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	f.complete(cmd)
	ctx, cancel := context.WithTimeout(cmd.Context(), cli.Patience)
	defer cancel()
	names, err := f.cfg.Models(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError | cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
