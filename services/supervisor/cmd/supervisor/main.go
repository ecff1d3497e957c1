// Command supervisor runs the supervisor, configured by SUPERVISOR_* in the environment.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/fluidmcp/fluidmcp/internal/settings"
	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
)

const usage = `Keep model servers alive, and tell gateways where they are.

  supervisor [serve]      run the models of SUPERVISOR_MODELS until SIGINT or SIGTERM; SIGHUP reads that file again
  supervisor guard        be the parent of one model server; for the supervisor's own use
  supervisor healthcheck  exit 0 when the supervisor at SUPERVISOR_ADDR is up
  supervisor version      tell which build this is
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills; the guard ends the models then
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "supervisor:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, logs io.Writer) error {
	command := "serve"
	if len(args) > 0 {
		command = args[0]
	}
	cfg := supervisor.Default()
	if command == "guard" {
		return process.RunGuard(args[1:])
	}
	if settings.About(out, args, usage, "supervisor", &cfg) {
		return nil
	}
	if err := settings.Read("supervisor", &cfg); err != nil {
		return err
	}
	switch command {
	case "serve":
		return serve(ctx, cfg, logs)
	case "healthcheck":
		return web.Probe(ctx, "http://"+cfg.Addr+"/health")
	}
	return fmt.Errorf("unknown argument %q: supervisor --help tells which there are", command)
}

func serve(ctx context.Context, cfg supervisor.Config, logs io.Writer) error {
	log, err := telemetry.NewLogger(logs, cfg.LogLevel)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the path of this program, which is its own guard: %w", err)
	}
	s, err := supervisor.New(cfg, supervisor.Deps{Log: log, Guard: []string{self, "guard"}})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	ctx, end := context.WithCancel(ctx)
	var hangups sync.WaitGroup
	hangups.Go(func() { reload(ctx, s) })
	defer hangups.Wait()
	defer end()
	return s.Run(ctx, ln)
}

// reload has the models file read again for each SIGHUP, until ctx ends.
func reload(ctx context.Context, s *supervisor.Supervisor) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			_ = s.Reload() // it tells of its faults itself
		}
	}
}
