package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/manage/client"
)

// rolloutPoll is between two looks at how a restart goes on.
const rolloutPoll = 300 * time.Millisecond

// rollout is what `restart` shows of a model's status.
type rollout struct {
	State   string `json:"state"`
	Done    int    `json:"done"`
	Total   int    `json:"total"`
	Message string `json:"message"`
}

func newRestart() *cobra.Command {
	var gateway client.Gateway
	var force, asJSON bool
	cmd := &cobra.Command{
		Use:   "restart MODEL",
		Short: "Start the servers of a model anew, one after the other",
		Example: `  fluidmcp restart mock-llm
  fluidmcp restart llama --force`,
		Args: cli.Exactly("one model, `fluidmcp ps` lists them"),

		ValidArgsFunction: models(&gateway),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "models/" + url.PathEscape(args[0])
			query := ""
			if force {
				query = "?force=true"
			}
			body, err := gateway.Call(cmd.Context(), http.MethodPost, path+"/restart"+query)
			if err != nil {
				return err
			}
			look := func(ctx context.Context) ([]byte, error) { return gateway.Call(ctx, http.MethodGet, path) }
			if !asJSON {
				_, err := followRollout(cmd.Context(), cmd.OutOrStdout(), args[0], body, look)
				return err
			}
			body, err = followRollout(cmd.Context(), io.Discard, args[0], body, look)
			_, wrote := cmd.OutOrStdout().Write(body)
			return errors.Join(err, wrote)
		},
	}
	gateway.AddFlag(cmd)
	cmd.Long += `

Each server is drained before it ends, and the next one follows once it is ready, so that the model answers all the time. The command
shows how it goes on, and fails when a server does not come back; Ctrl-C ends the command, not the restart. A model of one server is
restarted only where one more can start meanwhile (rollout.surge in the models file) or requests may wait (limits.keep_alive).`
	cmd.Flags().BoolVar(&force, "force", false, "restart all servers at the same time; the model answers 503 until the first is ready")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the model's status at the end as JSON for scripts")
	return cmd
}

// followRollout prints what a restart does until it has ended. body is the model's status; look asks for it again, and the last one is
// returned.
func followRollout(ctx context.Context, w io.Writer, id string, body []byte, look func(context.Context) ([]byte, error)) ([]byte, error) {
	tick := time.NewTicker(rolloutPoll)
	defer tick.Stop()
	for said := ""; ; {
		var now struct{ Rollout rollout }
		if err := json.Unmarshal(body, &now); err != nil {
			return nil, fmt.Errorf("decode the model's status: %w", err)
		}
		r := now.Rollout
		switch r.State {
		case "rolling":
			if line := fmt.Sprintf("%s: %d of %d restarted; %s", id, r.Done, r.Total, r.Message); r.Message != "" && line != said {
				fmt.Fprintln(w, line)
				said = line
			}
		case "done":
			_, err := fmt.Fprintf(w, "%s: %d of %d restarted\n", id, r.Done, r.Total)
			return body, err
		default:
			return body, fmt.Errorf("the restart of %s has ended after %d of %d (%s): %s", id, r.Done, r.Total, r.State, r.Message)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		next, err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return body, errors.New("the restart goes on; `fluidmcp ps` shows how")
		case err != nil:
			return body, err
		}
		body = next
	}
}
