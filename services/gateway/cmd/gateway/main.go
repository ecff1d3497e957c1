// Command gateway runs the gateway, configured by GATEWAY_* in the environment.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/fluidmcp/fluidmcp/internal/memory"
	"github.com/fluidmcp/fluidmcp/internal/settings"
	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway"
)

const usage = `Find the right model server for each request, and bring back its answer.

  gateway              serve until SIGINT or SIGTERM
  gateway healthcheck  exit 0 when the gateway at GATEWAY_ADDR is up
  gateway version      tell which build this is
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, logs io.Writer) error {
	cfg := gateway.Default()
	if settings.About(out, args, usage, "gateway", &cfg) {
		return nil
	}
	if err := settings.Read("gateway", &cfg); err != nil {
		return err
	}
	if len(args) > 0 {
		if args[0] != "healthcheck" {
			return fmt.Errorf("unknown argument %q: gateway --help tells which there are", args[0])
		}
		scheme := "http"
		if cfg.TLSCertFile != "" {
			scheme = "https"
		}
		return web.Probe(ctx, scheme+"://"+cfg.Addr+"/health")
	}
	memory.CollectLate(os.Getenv)
	lines := telemetry.NewBuffer(logs)
	defer lines.Close()
	log, err := telemetry.NewLogger(lines, cfg.LogLevel)
	if err != nil {
		return err
	}
	g, err := gateway.New(cfg, gateway.Deps{Log: log, DroppedLines: lines.Dropped})
	if err != nil {
		return err
	}
	ln, err := web.Listen(ctx, cfg.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return g.Run(ctx, ln)
}
