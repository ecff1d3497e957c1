package manage

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/manage/client"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/why"
	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// model is what the commands show of a model's status.
type model struct {
	ID        string `json:"id"`
	Driver    string `json:"driver"`
	Phase     string `json:"phase"`
	Instances []struct {
		PID      int       `json:"pid"`
		URL      string    `json:"url"`
		Phase    string    `json:"phase"`
		Reason   string    `json:"reason"`
		Message  string    `json:"message"`
		Outdated string    `json:"outdated"`
		Since    time.Time `json:"since"`
		Restarts int       `json:"restarts"`
	} `json:"instances"`
}

func newPs() *cobra.Command {
	var gateway client.Gateway
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ps",
		Short: "List the models of a running FluidMCP",
		Example: `  fluidmcp ps
  fluidmcp ps --json | jq -r '.models[] | select(.phase != "ready").id'   those that are not ready`,
		Args: cli.AtMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := gateway.Call(cmd.Context(), http.MethodGet, "models")
			if err != nil {
				return err
			}
			if asJSON {
				_, err := cmd.OutOrStdout().Write(body)
				return err
			}
			var list struct{ Models []model }
			if err := json.Unmarshal(body, &list); err != nil {
				return fmt.Errorf("decode the list of models: %w", err)
			}
			return printModels(cmd.OutOrStdout(), list.Models, time.Now())
		},
	}
	gateway.AddFlag(cmd)
	cmd.Long += "\n\nEach server of a model has its row. RESTARTS counts its starts after the first that FluidMCP remembers, whatever they were\nfor, but for those with which FluidMCP itself was started anew."
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON for scripts")
	return cmd
}

// printModels prints a row for each server: one of two that has died is not ready because the other is.
func printModels(w io.Writer, models []model, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "MODEL\tPHASE\tSINCE\tRESTARTS\tDRIVER\tPID\tURL\tMESSAGE")
	for _, m := range models {
		for i, inst := range m.Instances {
			id, pid := m.ID, ""
			if i > 0 {
				id = ""
			}
			if inst.PID > 0 {
				pid = strconv.Itoa(inst.PID)
			}
			message := cmp.Or(why.Of(fleet.Phase(inst.Phase), inst.Reason, inst.Message), inst.Outdated)
			if message == "" && fleet.Phase(inst.Phase) == fleet.Stopped {
				message = "`fluidmcp start " + m.ID + "` starts it"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n",
				id, inst.Phase, now.Sub(inst.Since).Round(time.Second), inst.Restarts, m.Driver, pid, inst.URL, message)
		}
	}
	return table.Flush()
}
