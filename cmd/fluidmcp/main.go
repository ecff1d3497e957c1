package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/keyfile"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/manage"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/run"
	"github.com/fluidmcp/fluidmcp/internal/version"
)

// twice is how close two signals are that mean one: programs such as timeout signal a process and then its group.
const twice = 50 * time.Millisecond

// interrupted is the exit code of a program that a second Ctrl-C ended, 128 and the number of SIGINT.
const interrupted = 130

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		first := time.Now()
		for range signals {
			if time.Since(first) > twice {
				// The default action would not do: a shell that starts a program in the background has it ignore SIGINT.
				os.Exit(interrupted) // the guard ends the children
			}
		}
	}()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute is the whole program. It returns its exit code: 0 when all went as asked, 1 otherwise.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if code, ok := errors.AsType[cli.ExitCode](err); ok {
		return int(code)
	}
	fmt.Fprintf(stderr, "fluidmcp: %v\n", err)
	return 1
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "fluidmcp",
		Short: "Run vLLM models behind one OpenAI-compatible address, without a GPU if need be",
		Example: `  fluidmcp run examples/vllm-mock-config.json --start-server   start the models and serve them on port 8099
  fluidmcp run examples/vllm-mock-config.json                  check the file and show what would start
  fluidmcp run models.yaml --mock                              rehearse a file for GPUs without one
  fluidmcp apply --dry-run                                     show what a changed models file would change
  fluidmcp ps                                                  list the models of a running FluidMCP`,
		Args:          cli.Subcommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Version:       version.Get().Version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("fluidmcp {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w;%s `%s --help` lists the flags", cli.Plain(err), cli.MeantFlag(cmd, err), cmd.CommandPath())
	})
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp) // what is a file says so itself
	root.AddCommand(run.Command(), newLoadtest(), keyfile.Command(), newSchema(), newVersion(), newMockvllm(), newGuard())
	root.AddCommand(manage.Commands()...)
	return root
}
