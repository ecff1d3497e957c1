package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/manage/client"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
)

// applyOptions are the flags of `fluidmcp apply`.
type applyOptions struct {
	gateway client.Gateway
	dryRun  bool
	asJSON  bool
}

func newApply() *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Bring a running FluidMCP in line with its models file, and show what that changes",
		Example: `  fluidmcp apply                          read the models file again, as SIGHUP has it done
  fluidmcp apply models.json --dry-run    show what would change, and change nothing
  fluidmcp apply models.json --json | jq  the changes for a script`,
		Args: cli.AtMost(1),

		ValidArgsFunction: cli.Files,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.apply(cmd.Context(), cmd.OutOrStdout(), args) },
	}
	cmd.Long = `Bring a running FluidMCP in line with its models file, and show what that changes: each field, its old and new value, and the effect.

  none              in force at once; no server is touched: limits, routing, timeouts, aliases
  start             a server that was not there
  rolling restart   one server after the other is drained and started with its new command
  replace           another server comes in the place of one that is drained
  drain and remove  requests in flight may finish, then the server ends

A file with a fault changes nothing, and all its faults are told. Without FILE, or with the very file that the supervisor reads, everything
may change; another FILE, as every request over HTTP, only what names no program and no address, unless FluidMCP runs with
--allow-remote-commands. What another FILE says holds until the supervisor reads its own again.`
	o.gateway.AddFlag(cmd)
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would change, and change nothing")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print the changes as JSON for scripts")
	return cmd
}

// apply sends the file, where there is one, and prints what it changes.
func (o *applyOptions) apply(ctx context.Context, w io.Writer, files []string) error {
	query := url.Values{"dry_run": {strconv.FormatBool(o.dryRun)}}
	var text []byte
	if len(files) > 0 {
		var err error
		if text, err = os.ReadFile(files[0]); err != nil {
			return fmt.Errorf("read the models file: %w", err)
		}
		if len(text) == 0 { // which would mean the supervisor's own
			return fmt.Errorf("models file %s: the file is empty", files[0])
		}
		query.Set("name", filepath.Base(files[0]))
	}
	body, err := o.gateway.Send(ctx, http.MethodPost, "apply?"+query.Encode(), text)
	if err != nil {
		return err
	}
	if o.asJSON {
		_, err := w.Write(body)
		return err
	}
	var set change.Set
	if err := json.Unmarshal(body, &set); err != nil {
		return fmt.Errorf("decode the changes: %w", err)
	}
	if err := set.Text(w, cli.IsTerminal(w)); err != nil || set.Empty() {
		return err
	}
	end := "\nApplied; `fluidmcp ps` shows how it goes on.\n"
	if o.dryRun {
		end = "\nNothing was changed: this was a dry run.\n"
	}
	_, err = fmt.Fprint(w, end)
	return err
}
