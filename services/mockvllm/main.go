package mockvllm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/fluidmcp/fluidmcp/internal/web"
)

const usage = `usage: vllm serve [model_tag] [options]
       vllm healthcheck [options]
       vllm --version`

// Main is the whole command, shared by the binary mockvllm and by `fluidmcp mockvllm`. args begin after the program's
// name; env looks a variable up (MODEL_NAME, VLLM_API_KEY), while MOCKVLLM_* are read from the process by envconfig.
// It returns when ctx ends or the command is over, with the exit code: 2 for a wrong command line, 1 for any other failure.
func Main(ctx context.Context, args []string, env func(string) string, stdout, stderr io.Writer) int {
	err := command(ctx, args, env, stdout)
	var wrong usageError
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
		cfg, _, err := configure(args, env)
		if err != nil {
			return err
		}
		return healthcheck(ctx, cfg)
	case "--version", "-v":
		_, err := fmt.Fprintln(stdout, Version)
		return err
	case "":
		return usageError{"vllm", "the following arguments are required: subcommand"}
	}
	return usageError{"vllm", "argument subparser: invalid choice: '" + name + "' (choose from 'serve', 'healthcheck')"}
}

// configure merges defaults, environment and flags, the later ones winning.
func configure(args []string, env func(string) string) (Config, commandLine, error) {
	cfg := Default()
	if err := envconfig.Process("mockvllm", &cfg.Mock); err != nil {
		return cfg, commandLine{}, fmt.Errorf("read environment: %w", err)
	}
	if err := envconfig.CheckDisallowed("mockvllm", &cfg.Mock); err != nil {
		return cfg, commandLine{}, fmt.Errorf("read environment: %w", err)
	}
	if key := env("VLLM_API_KEY"); key != "" {
		cfg.APIKeys = []string{key}
	}
	cl, err := parseServe(args, &cfg)
	if err != nil {
		return cfg, cl, err
	}
	name := env("MODEL_NAME")
	if !cl.model && name != "" {
		cfg.Model = name
	}
	if !cl.served {
		cfg.ServedNames = []string{cfg.Model}
		if name != "" {
			cfg.ServedNames = []string{name}
		}
	}
	return cfg, cl, nil
}

func serve(ctx context.Context, args []string, env func(string) string, stdout io.Writer) error {
	cfg, cl, err := configure(args, env)
	if err != nil {
		return err
	}
	s, err := New(cfg, Deps{Console: stdout})
	if err != nil {
		return err
	}
	s.banner(cl)
	if !wait(ctx, cfg.Mock.LoadTime) {
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
func (s *Server) banner(cl commandLine) {
	c := s.console
	c.info("api_utils.py:347", "vLLM API server (mockvllm) version %s, model %s", Version, s.cfg.Model)
	c.info("api_utils.py:286", "non-default args: {%s}", strings.Join(cl.given, ", "))
	c.info("model.py:2152", "Using max model len %d", s.cfg.MaxModelLen)
	if cl.idle != nil {
		c.info("mockvllm", "accepted without effect: %s", strings.Join(cl.idle, " "))
	}
	c.info("mockvllm", "Starting to load model %s...", s.cfg.Model)
}

// healthcheck asks a server that was started with the same flags and environment.
func healthcheck(ctx context.Context, cfg Config) error {
	host := cfg.Host
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return web.Probe(ctx, "http://"+net.JoinHostPort(host, strconv.Itoa(cfg.Port))+"/health")
}
