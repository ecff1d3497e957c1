package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fluidmcp/fluidmcp/internal/document"
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
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// exitCode is an error that ends the process with a code of its own and has said all there is to say.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// run is the whole program. It returns its exit code: 0 when all went as asked, 1 otherwise.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	fmt.Fprintf(stderr, "fluidmcp: %v\n", err)
	return 1
}

// exactly one argument is what a command takes; what says which.
func exactly(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return fmt.Errorf("%d arguments; name %s: %s", len(args), what, cmd.UseLine())
	}
}

// atMost so many arguments is what a command takes.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return fmt.Errorf("%q is one argument too many: %s", args[n], cmd.UseLine())
	}
}

// subcommand is for commands that only have others.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	guess := ""
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		guess = " did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("unknown command %q;%s `%s --help` lists the commands", args[0], guess, cmd.CommandPath())
}

// meantFlag guesses which flag of the command was misspelt, if one was.
func meantFlag(cmd *cobra.Command, err error) string {
	wrong, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return ""
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if near := document.Nearest(wrong.GetSpecifiedName(), known); near != "" {
		return " did you mean --" + near + "?"
	}
	return ""
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
		Args:          subcommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Version:       version.Get().Version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("fluidmcp {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w;%s `%s --help` lists the flags", err, meantFlag(cmd, err), cmd.CommandPath())
	})
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp) // what is a file says so itself
	root.AddCommand(newRun(), newApply(), newPs(), newRestart(), newLogs(), newEvents(), newLoadtest(), newKeys(), newSchema(), newVersion(), newMockvllm(), newGuard())
	for _, verb := range []string{"start", "stop"} {
		root.AddCommand(newLifecycle(verb))
	}
	return root
}
