package run

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/run/plan"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/run/progress"
	"github.com/fluidmcp/fluidmcp/internal/memory"
	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rehearse"
)

// options are the flags of `fluidmcp run`.
type options struct {
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

// Command is `fluidmcp run`.
func Command() *cobra.Command {
	var o options
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
elsewhere too, so that nothing leaves this machine. Other commands run as they are. A secret that ${NAME} stands for need not be set.

The command "mockvllm" in a file is this program itself, so a mock needs nothing else to be installed. Timeouts,
limits and TLS come from the environment (GATEWAY_FIRST_BYTE_TIMEOUT, SUPERVISOR_DRAIN_TIMEOUT, GATEWAY_TLS_CERT_FILE and so
on; docs/configuration.md lists them).`,
		Example: `  fluidmcp run examples/vllm-mock-config.json --start-server
  fluidmcp run examples/vllm-profile.json --mock --mock-load-time 0.1
  fluidmcp run examples/vllm-profile.json --mock --start-server=false   for a pipeline: fails for a flag that vLLM has not
  fluidmcp run examples/vllm-mock-config.json --json | jq
  fluidmcp run examples/vllm-mock-config.json --start-server --host 0.0.0.0 --keys keys.yaml`,
		Args: cli.Exactly("one models file"),

		ValidArgsFunction: cli.Files,
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

func (o *options) run(ctx context.Context, path string, stdout, stderr io.Writer) error {
	lines := telemetry.NewBuffer(stderr)
	defer lines.Close()
	log, logErr := telemetry.NewLogger(lines, o.logLevel)
	env := os.LookupEnv
	var prepare func(*manifest.File) (*manifest.File, error)
	if o.mock {
		env, prepare = rehearse.Env, (&rehearse.Rehearsal{Load: o.mockLoad.of, FreePort: freePort}).Of
	}
	file, fileErr := read.Load(path, env)
	if fileErr == nil && prepare != nil {
		file, fileErr = prepare(file)
	}
	if !o.start {
		var keysErr error
		if o.keys != "" {
			_, keysErr = keys.Load(o.keys)
		}
		if err := errors.Join(fileErr, logErr, keysErr); err != nil {
			return err
		}
		if err := plan.Check(file); err != nil {
			return err
		}
		start := "--start-server"
		if o.mock {
			start = "--mock"
		}
		return plan.Print(stdout, path, file, start, o.asJSON)
	}
	// All faults at once: what is wrong with the file and which ports are taken.
	ports, portErr := o.listen(ctx, file)
	defer ports.close()
	if err := errors.Join(fileErr, logErr, portErr); err != nil {
		return err
	}
	memory.CollectLate(os.Getenv)
	p := &program{options: o, log: log, droppedLines: lines.Dropped, file: file, env: env, prepare: prepare, ports: ports,
		told: progress.New(stdout, file), token: rand.Text()}
	return p.serve(ctx)
}
