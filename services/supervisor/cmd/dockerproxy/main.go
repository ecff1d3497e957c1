// Command dockerproxy stands between the supervisor and a Docker engine, configured by DOCKERPROXY_* in the environment.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/fluidmcp/fluidmcp/internal/settings"
	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/services/supervisor/dockerproxy"
	"github.com/fluidmcp/fluidmcp/services/supervisor/engine"
)

const usage = `Let a supervisor do with a Docker engine what it has to, and nothing else.

  dockerproxy [serve]      answer at DOCKERPROXY_LISTEN until SIGINT or SIGTERM
  dockerproxy healthcheck  exit 0 when proxy and engine answer
  dockerproxy version      tell which build this is
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "dockerproxy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, logs io.Writer) error {
	command := "serve"
	if len(args) > 0 {
		command = args[0]
	}
	cfg := dockerproxy.Default()
	if settings.About(out, args, usage, "dockerproxy", &cfg) {
		return nil
	}
	if err := settings.Read("dockerproxy", &cfg); err != nil {
		return err
	}
	switch command {
	case "serve":
		return serve(ctx, cfg, logs)
	case "healthcheck":
		client := engine.New(cfg.Listen)
		defer client.Close()
		_, err := client.Ping(ctx)
		return err
	}
	return fmt.Errorf("unknown argument %q: dockerproxy --help tells which there are", command)
}

func serve(ctx context.Context, cfg dockerproxy.Config, logs io.Writer) error {
	log, err := telemetry.NewLogger(logs, cfg.LogLevel)
	if err != nil {
		return err
	}
	proxy, err := dockerproxy.New(cfg, log)
	if err != nil {
		return err
	}
	ln, err := dockerproxy.Listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	return proxy.Run(ctx, ln)
}
