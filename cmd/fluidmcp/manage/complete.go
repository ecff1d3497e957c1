package manage

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/manage/client"
)

// models offers the models of the running FluidMCP as the one argument of a command, each with its phase as description.
func models(gateway *client.Gateway) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), cli.Patience)
		defer cancel()
		body, err := gateway.Call(ctx, http.MethodGet, "models")
		var list struct{ Models []model }
		if err != nil || json.Unmarshal(body, &list) != nil {
			return nil, cobra.ShellCompDirectiveError | cobra.ShellCompDirectiveNoFileComp
		}
		names := make([]string, len(list.Models))
		for i, m := range list.Models {
			names[i] = cobra.CompletionWithDesc(m.ID, m.Phase)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
