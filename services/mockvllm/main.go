package mockvllm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/memory"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/cli"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/loading"
)

// usage stands before what is wrong with a command line. Its first line is vLLM's.
const usage = `usage: vllm serve [model_tag] [options]
       mockvllm healthcheck [--wait TIME] [options]
       mockvllm --help`

const help = `usage: mockvllm serve MODEL [options]
       mockvllm healthcheck [--wait TIME] [options]
       mockvllm --version

serve takes the options of vllm serve 0.32: --help=all lists them, --help=lora those with lora in their names. What they do here, and the
options that only a mock has:

  --host, --port             where it listens: all interfaces and 8000
  --served-model-name        the names that clients use
  --api-key                  the key that clients have to send
  --max-model-len            tokens of prompt and answer
  --max-num-seqs             answers that run at a time
  --max-num-batched-tokens, --block-size, --num-gpu-blocks-override, --enable-chunked-prefill, --scheduling-policy
                             how these are batched, and the KV cache that they share
  --tool-call-parser P --enable-auto-tool-choice
                             take tools
  --reasoning-parser P       think before each answer
  --tokenizer DIR            tokenizer and chat template of a Hugging Face model; also MODEL itself when it is a directory
  --enable-lora, --runner pooling, --enable-scale-out, ...
                             the routes that vLLM has with them
  --mock-answer              what it says: guide, echo, random, or file:FILE
  --mock-ttft, --mock-itl    time to the first token, and between tokens: 200ms, normal:20ms,2ms, lognormal:20ms,5ms
  --mock-profile FILE        or how long each step of the batch takes
  --mock-time-scale          these times are multiplied by it: 0.1
  --mock-clock               virtual: time stands still until POST /mock/clock?advance=1h
  --mock-load-time           until the port listens: 30s
  --mock-delay, --mock-error-rate, --mock-rate-limit, --mock-seed
                             faults: 5s, 0.2, 10/60s, 1; PUT /mock/faults sets them while it runs
  --mock-scenario FILE       rules for these and all other faults: cut and stalled streams, crashes, timelines
  --mock-worker              a second process, without which the server ends as a real one does without its engine
  --mock-shutdown hang       SIGTERM leaves requests in flight without an end, as a real server may

healthcheck asks a server that was started with the same options, and ends with 0 when it is healthy. With --wait 30s it
asks again until it is, or until that time is over.

  mockvllm serve Qwen/Qwen3-0.6B --port 8001 --mock-ttft 200ms --mock-itl 20ms
  mockvllm serve m --enable-auto-tool-choice --tool-call-parser hermes --mock-answer echo
  mockvllm serve m --mock-scenario outage.yaml --mock-clock virtual
`

// Main is the whole command, shared by the binary mockvllm and by `fluidmcp mockvllm`. args begin after the program's
// name; env looks a variable up (MODEL_NAME, VLLM_API_KEY), while MOCKVLLM_* are read from the process by envconfig.
// It returns when ctx ends or the command is over, with the exit code: 2 for a wrong command line, 1 for any other failure.
func Main(ctx context.Context, args []string, env func(string) string, stdout, stderr io.Writer) int {
	for _, arg := range args {
		text := help
		if word, some := strings.CutPrefix(arg, "--help="); some {
			text = config.Help(word)
		} else if arg != "-h" && arg != "--help" {
			continue
		}
		_, _ = io.WriteString(stdout, text) // nobody is left to tell
		return 0
	}
	err := command(ctx, args, env, stdout)
	var wrong cli.UsageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		_, _ = fmt.Fprintf(stderr, "%s\n%s\n", usage, wrong) // nobody is left to tell
		return 2
	default:
		_, _ = fmt.Fprintf(stderr, "mockvllm: %v\n", err)
		return 1
	}
}

func command(ctx context.Context, args []string, env func(string) string, stdout io.Writer) error {
	name := ""
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch name {
	case "serve":
		return serve(ctx, args, env, stdout)
	case "healthcheck":
		return healthcheck(ctx, args, env)
	case workerCommand:
		return work()
	case "--version", "-v":
		_, err := fmt.Fprintln(stdout, config.Version)
		return err
	case "":
		return cli.UsageError{Prog: "vllm", Message: "the following arguments are required: subcommand"}
	}
	return cli.UsageError{Prog: "vllm", Message: "argument subparser: invalid choice: '" + name + "' (choose from 'serve', 'healthcheck')"}
}

func serve(ctx context.Context, args []string, env func(string) string, stdout io.Writer) error {
	memory.CollectLate(env) // a sixth of the processor time of an answer
	cfg, cl, err := config.Read(args, env)
	if err != nil {
		return err
	}
	s, err := New(cfg, Deps{Console: stdout})
	if err != nil {
		return err
	}
	s.banner(cl)
	if cfg.Mock.Worker {
		end, err := s.startWorker(len(args) + 1)
		if err != nil {
			return err
		}
		defer end()
	}
	if !loading.Run(ctx, s.console, s.loads(cl), cfg.Mock.LoadTime) {
		return nil
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)))
	if err != nil {
		return fmt.Errorf("open port: %w", err)
	}
	return s.Run(ctx, ln)
}

// wait returns false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// banner prints what vLLM prints before it loads the model.
func (s *Server) banner(cl config.CommandLine) {
	c := s.console
	c.Info("api_utils.py:347", "vLLM API server (mockvllm) version %s, model %s", config.Version, s.cfg.Model)
	c.Info("api_utils.py:286", "non-default args: {%s}", strings.Join(cl.Given, ", "))
	c.Info("model.py:2152", "Using max model len %d", s.cfg.MaxModelLen)
	if cl.Idle != nil {
		c.Info("mockvllm", "accepted without effect: %s", strings.Join(cl.Idle, " "))
	}
}

// loads is the model as the log of its loading shows it.
func (s *Server) loads(cl config.CommandLine) loading.Model {
	e := s.cfg.Engine()
	return loading.Model{Name: s.cfg.Model, MaxLen: e.MaxModelLen, Tokens: e.NumBlocks * e.BlockSize, Eager: slices.Contains(cl.Idle, "--enforce-eager")}
}

// healthcheck asks a server that was started with the same flags and environment. With --wait it asks until it is healthy.
func healthcheck(ctx context.Context, args []string, env func(string) string) error {
	var patience time.Duration
	if i := slices.IndexFunc(args, func(arg string) bool { return arg == "--wait" || strings.HasPrefix(arg, "--wait=") }); i >= 0 {
		_, value, joined := strings.Cut(args[i], "=")
		others := args[i+1:]
		if !joined && len(others) > 0 {
			value, others = others[0], others[1:]
		}
		var err error
		if patience, err = time.ParseDuration(value); err != nil || patience <= 0 {
			return cli.UsageError{Prog: "mockvllm healthcheck", Message: "argument --wait: expected a time such as 30s"}
		}
		args = slices.Concat(args[:i], others)
	}
	cfg, _, err := config.Read(args, env)
	if err != nil {
		return err
	}
	host := cfg.Host
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	url := "http://" + net.JoinHostPort(host, strconv.Itoa(cfg.Port)) + "/health"
	for deadline := time.Now().Add(patience); ; {
		err := web.Probe(ctx, url)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) || !wait(ctx, 100*time.Millisecond) {
			return fmt.Errorf("%w (waited %s); its log tells why, or it has another --host or --port", err, patience)
		}
	}
}
