package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/memory"
	"github.com/fluidmcp/fluidmcp/internal/settings"
	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway"
	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
	"github.com/fluidmcp/fluidmcp/services/supervisor"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rehearse"
)

// runOptions are the flags of `fluidmcp run`.
type runOptions struct {
	start          bool
	asJSON         bool
	host           string
	port           int
	supervisorPort int
	logLevel       string
	keys           string
	allowOpen      bool
	remoteCommands bool
	mock           bool
	mockLoad       loadTime
}

func newRun() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Check a models file, and with --start-server start its models and serve them",
		Long: `Check a models file, also its command lines, and show what it would start. With --start-server, start the models as child processes and serve
them on one OpenAI-compatible address until Ctrl-C. Ctrl-C lets the requests in flight finish and then ends every
model; a second one ends at once.

What is to survive a restart (which models somebody stopped, what happened when) is kept for each models file in a folder of
its own below $XDG_STATE_HOME/fluidmcp, or ~/.local/state/fluidmcp. SUPERVISOR_STATE_DIR names another folder, and set to
nothing none.

The file may be changed meanwhile, and is followed: another limit is in force at once, another command is started by one server after the
other, a model that is gone is drained. SIGHUP and ` + "`fluidmcp apply`" + ` have it read again too, and a file with a fault changes nothing.

--mock rehearses a file for GPUs without one: mockvllm, with the same flags, has the place of every vLLM, and of containers and servers
elsewhere too, so that nothing leaves this machine. Other commands run as they are.

The command "mockvllm" in a file is this program itself, so a mock needs nothing else to be installed. Timeouts,
limits and TLS come from the environment (GATEWAY_FIRST_BYTE_TIMEOUT, SUPERVISOR_DRAIN_TIMEOUT, GATEWAY_TLS_CERT_FILE and so
on; docs/configuration.md lists them).`,
		Example: `  fluidmcp run examples/vllm-mock-config.json --start-server
  fluidmcp run examples/vllm-profile.json --mock --mock-load-time 0.1
  fluidmcp run examples/vllm-profile.json --mock --start-server=false   for a pipeline: fails for a flag that vLLM has not
  fluidmcp run examples/vllm-mock-config.json --json | jq
  fluidmcp run examples/vllm-mock-config.json --start-server --host 0.0.0.0 --keys keys.yaml`,
		Args: exactly("one models file"),

		ValidArgsFunction: configFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.mockLoad.text != "" && !o.mock {
				return errors.New("--mock-load-time goes with --mock")
			}
			if o.mock && !cmd.Flags().Changed("start-server") {
				o.start = true
			}
			return o.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.Bool("file", true, "FILE is a path; there is no other kind yet, so this may be left out")
	f.BoolVar(&o.start, "start-server", false, "start the models and serve them")
	f.BoolVar(&o.asJSON, "json", false, "print the plan as JSON for scripts")
	f.StringVar(&o.host, "host", "127.0.0.1", "address to listen on")
	f.IntVar(&o.port, "port", 8099, "port of the gateway; 0 takes a free one")
	f.IntVar(&o.supervisorPort, "supervisor-port", 8098, "port of the supervisor; 0 takes a free one")
	f.StringVar(&o.keys, "keys", "", "file of API keys, which fluidmcp keys new makes; without it everyone who reaches the gateway may ask (environment: GATEWAY_KEYS_FILE)")
	f.BoolVar(&o.allowOpen, "allow-open", false, "listen on an address that others can reach, without keys (environment: GATEWAY_ALLOW_OPEN)")
	f.BoolVar(&o.remoteCommands, "allow-remote-commands", false, "let requests with an administrator's key say which programs and servers to use (environment: SUPERVISOR_ALLOW_REMOTE_COMMANDS)")
	f.BoolVar(&o.mock, "mock", false, "start mockvllm in the place of every vLLM and of every server elsewhere; --start-server=false only shows it")
	f.Var(&o.mockLoad, "mock-load-time", "with --mock, how long these mocks load: a time such as 10s, or a number to multiply an estimate for each model with, such as 0.1")
	f.StringVar(&o.logLevel, "log-level", "error", "log lines of gateway and supervisor on standard error: debug, info, warn or error")
	levels := cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc("log-level", levels); err != nil {
		panic(err) // the flag is two lines above
	}
	return cmd
}

func (o *runOptions) run(ctx context.Context, path string, stdout, stderr io.Writer) error {
	lines := telemetry.NewBuffer(stderr)
	defer lines.Close()
	log, logErr := telemetry.NewLogger(lines, o.logLevel)
	file, fileErr := read.Load(path)
	var prepare func(*manifest.File) (*manifest.File, error)
	if o.mock {
		prepare = (&rehearse.Rehearsal{Load: o.mockLoad.of, FreePort: freePort}).Of
		if fileErr == nil {
			file, fileErr = prepare(file)
		}
	}
	if !o.start {
		var keysErr error
		if o.keys != "" {
			_, keysErr = keys.Load(o.keys)
		}
		if err := errors.Join(fileErr, logErr, keysErr); err != nil {
			return err
		}
		if err := checkCommandLines(file); err != nil {
			return err
		}
		start := "--start-server"
		if o.mock {
			start = "--mock"
		}
		return printPlan(stdout, path, file, start, o.asJSON)
	}
	// All faults at once: what is wrong with the file and which ports are taken.
	ports, portErr := o.listen(ctx, file)
	defer ports.close()
	if err := errors.Join(fileErr, logErr, portErr); err != nil {
		return err
	}
	memory.CollectLate(os.Getenv)
	return o.serve(ctx, log, lines.Dropped, file, prepare, ports, newProgress(stdout, file))
}

// listeners are the two addresses of the program itself.
type listeners struct{ gateway, supervisor net.Listener }

func (l listeners) close() {
	for _, ln := range []net.Listener{l.gateway, l.supervisor} {
		if ln != nil {
			_ = ln.Close() // the service that used it has closed it already
		}
	}
}

// portOfModel is what frees a model from a port that is taken, perhaps by the very server that was meant.
const portOfModel = "the port in the file; to use the server that runs there, give the model endpoints alone, without a command"

// listen opens the program's own ports and looks whether those of the models are free.
func (o *runOptions) listen(ctx context.Context, file *manifest.File) (listeners, error) {
	var l listeners
	var faults []error
	owners := map[int]string{}
	open := func(host string, port int, who, mend string) net.Listener {
		ln, err := web.Listen(ctx, net.JoinHostPort(host, strconv.Itoa(port)))
		switch {
		case err == nil:
			owners[port] = who
			return ln
		case errors.Is(err, syscall.EADDRINUSE):
			holder := cmp.Or(owners[port], "another process")
			faults = append(faults, fmt.Errorf("port %d of %s is in use by %s: free it or change %s", port, who, holder, mend))
		default:
			faults = append(faults, fmt.Errorf("listen for %s: %w", who, err))
		}
		return nil
	}
	l.gateway = open(o.host, o.port, "the gateway", "--port")
	l.supervisor = open("127.0.0.1", o.supervisorPort, "the supervisor", "--supervisor-port")
	if file != nil {
		for _, p := range file.Ports() {
			if ln := open("127.0.0.1", p.Port, fmt.Sprintf("model %q", p.Model), portOfModel); ln != nil {
				faults = append(faults, ln.Close())
			}
		}
	}
	return l, errors.Join(faults...)
}

// serve runs supervisor and gateway until ctx ends. The gateway goes first, so that requests in flight still find their
// models; then the supervisor ends the models.
func (o *runOptions) serve(ctx context.Context, log *zap.Logger, droppedLines func() uint64, file *manifest.File, prepare func(*manifest.File) (*manifest.File, error),
	ports listeners, progress *progress) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the path of this program, which mock models run: %w", err)
	}
	token := rand.Text() // nobody else can steer the supervisor past the gateway
	supervisorURL := "http://" + ports.supervisor.Addr().String()

	supervisorCfg, gatewayCfg := supervisor.Default(), gateway.Default()
	if err := errors.Join(settings.Read("supervisor", &supervisorCfg), settings.Read("gateway", &gatewayCfg)); err != nil {
		return err
	}
	if _, told := os.LookupEnv("SUPERVISOR_STATE_DIR"); !told {
		models := file.Path
		if o.mock { // what is done to mocks is not done to the models
			models += ".mock"
		}
		supervisorCfg.StateDir = stateFolder(log, models)
	}
	supervisorCfg.Token = token
	supervisorCfg.AllowRemoteCommands = o.remoteCommands || supervisorCfg.AllowRemoteCommands
	sup, err := supervisor.New(supervisorCfg, supervisor.Deps{
		Log:      log.Named("supervisor"),
		Models:   file,
		Prepare:  prepare,
		Told:     progress.changed,
		Commands: map[string][]string{"mockvllm": {self, "mockvllm"}},
		Guard:    []string{self, "guard"},
	})
	if err != nil {
		return err
	}
	gatewayCfg.Addr = ports.gateway.Addr().String()
	gatewayCfg.KeysFile = cmp.Or(o.keys, gatewayCfg.KeysFile)
	gatewayCfg.AllowOpen = o.allowOpen || gatewayCfg.AllowOpen
	gatewayCfg.SupervisorURL = supervisorURL
	gatewayCfg.SupervisorToken = token
	gw, err := gateway.New(gatewayCfg, gateway.Deps{Log: log.Named("gateway"), DroppedLines: droppedLines})
	if err != nil {
		return err
	}

	scheme := "http"
	if gatewayCfg.TLSCertFile != "" {
		scheme = "https"
	}
	progress.hello(fmt.Sprintf("%s://localhost:%d", scheme, ports.gateway.Addr().(*net.TCPAddr).Port), gatewayCfg.KeysFile != "")
	models, endModels := context.WithCancel(context.WithoutCancel(ctx))
	defer endModels()
	watch, endWatch := context.WithCancel(context.WithoutCancel(ctx))
	defer endWatch()
	g, ctx := errgroup.WithContext(ctx)
	context.AfterFunc(ctx, progress.stopping)
	g.Go(func() error {
		defer endModels()
		return gw.Run(ctx, ports.gateway)
	})
	g.Go(func() error {
		defer endWatch()
		return sup.Run(models, ports.supervisor)
	})
	g.Go(func() error {
		return onHangup(ctx, func() { _ = sup.Reload() }) // which tells of its faults itself
	})
	g.Go(func() error {
		client := &fleet.Client{URL: supervisorURL, Token: token}
		_ = client.Watch(watch, progress.show, func(error) {}) // ends with watch; the services report their own failures
		return nil
	})
	err = g.Wait()
	progress.stopped(err)
	return err
}
