package cli

import (
	"cmp"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// URL adds --url, with the environment's as default. The help does not show that one: it may have a password.
func URL(cmd *cobra.Command, url *string, usage string) {
	const local = "http://localhost:8099"
	cmd.Flags().StringVar(url, "url", cmp.Or(os.Getenv("FLUIDMCP_URL"), local), usage+" (environment: FLUIDMCP_URL)")
	cmd.Flag("url").DefValue = local
}

// Patience is how long somebody waits who has pressed the tab key.
const Patience = time.Second

// Files offers files that may be a models file or a key file as the one argument of a command.
func Files(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"json", "yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}
