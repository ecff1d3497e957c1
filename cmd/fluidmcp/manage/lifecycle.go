package manage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/manage/client"
)

// newLifecycle makes `start` and `stop`.
func newLifecycle(verb string) *cobra.Command {
	short := map[string]string{
		"start": "Start a model that was stopped or has failed",
		"stop":  "Let a model's requests finish, stop it, and keep it stopped",
	}[verb]
	var gateway client.Gateway
	var asJSON bool
	cmd := &cobra.Command{
		Use:   verb + " MODEL",
		Short: short,
		Example: "  fluidmcp " + verb + " mock-llm\n" +
			"  fluidmcp " + verb + " mock-llm --json | jq -r .phase",
		Args: cli.Exactly("one model, `fluidmcp ps` lists them"),

		ValidArgsFunction: models(&gateway),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := gateway.Call(cmd.Context(), http.MethodPost, "models/"+url.PathEscape(args[0])+"/"+verb)
			if err != nil {
				return err
			}
			if asJSON {
				_, err := cmd.OutOrStdout().Write(body)
				return err
			}
			var m model
			if err := json.Unmarshal(body, &m); err != nil {
				return fmt.Errorf("decode the model's status: %w", err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s requested, now %s; `fluidmcp ps` shows how it goes on\n", m.ID, verb, m.Phase)
			return err
		},
	}
	gateway.AddFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the model's status as JSON for scripts")
	return cmd
}
