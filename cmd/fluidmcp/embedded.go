package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
)

// newMockvllm makes this binary a mockvllm. It takes vLLM's command line, so cobra must not look at the flags.
func newMockvllm() *cobra.Command {
	return &cobra.Command{
		Use:   "mockvllm serve MODEL [flags of vllm serve]",
		Short: "Be a vLLM server without the GPU",
		Long: `Be a vLLM server without the GPU: command line, HTTP, errors and metrics of vLLM 0.32, and faults on command.
` + "`fluidmcp mockvllm --help`" + ` shows what its options do.`,
		Example: `  fluidmcp mockvllm serve my-model --port 8001 --mock-ttft 200ms --mock-itl 20ms
  fluidmcp mockvllm healthcheck --port 8001 --wait 30s`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if code := mockvllm.Main(cmd.Context(), args, os.Getenv, cmd.OutOrStdout(), cmd.ErrOrStderr()); code != 0 {
				return cli.ExitCode(code)
			}
			return nil
		},
	}
}

// newGuard makes this binary the parent of a model server, which it ends when the supervisor dies. What follows is the server's
// command line, so cobra must not look at the flags.
func newGuard() *cobra.Command {
	return &cobra.Command{
		Use:                "guard COMMAND",
		Short:              "Be the parent of a model server",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE:               func(_ *cobra.Command, args []string) error { return process.RunGuard(args) },
	}
}
