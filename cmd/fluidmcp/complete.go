package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// Somebody who pressed the tab key waits for this.
const completionPatience = time.Second

// models offers the models of the running FluidMCP as the one argument of a command, each with its phase as description.
func (g *gatewayURL) models(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
	defer cancel()
	body, err := g.call(ctx, http.MethodGet, "models")
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

// configFiles offers files that may be a models file or a key file as the one argument of a command.
func configFiles(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"json", "yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// models offers the models of the server under test.
func (f *loadtestFlags) models(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	f.complete(cmd)
	ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
	defer cancel()
	names, err := f.cfg.Models(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError | cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
