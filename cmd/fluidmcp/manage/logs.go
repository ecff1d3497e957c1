package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/manage/client"
)

// logsOptions are the flags of `fluidmcp logs`.
type logsOptions struct {
	gateway  client.Gateway
	follow   bool
	lines    int
	since    int64
	instance string
	asJSON   bool
	crashes  bool
}

func newLogs() *cobra.Command {
	o := logsOptions{}
	cmd := &cobra.Command{
		Use:   "logs MODEL",
		Short: "Show or follow what a model's servers print",
		Example: `  fluidmcp logs mock-llm --lines 20          the last 20 lines
  fluidmcp logs -f llama                     and those that come, also over restarts, until Ctrl-C
  fluidmcp logs --crashes llama              how its servers failed last, each time with the last 200 lines
  fluidmcp logs -f --json llama | jq -r .line`,
		Args: cli.Exactly("one model, `fluidmcp ps` lists them"),

		ValidArgsFunction: models(&o.gateway),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "models/" + url.PathEscape(args[0])
			out := newLogPrinter(cmd.OutOrStdout(), o.asJSON)
			switch {
			case o.crashes:
				return o.printCrashes(cmd.Context(), path, cmd.OutOrStdout())
			case o.follow:
				return o.watch(cmd.Context(), path, out, cmd.ErrOrStderr())
			}
			return o.print(cmd.Context(), path, out)
		},
	}
	o.gateway.AddFlag(cmd)
	f := cmd.Flags()
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with lines as they come, until Ctrl-C")
	f.IntVar(&o.lines, "lines", 100, "how many lines of each server at most, 1 to 10000")
	f.Int64Var(&o.since, "since", -1, "only lines after the one with this offset, which --json shows")
	f.StringVar(&o.instance, "instance", "", "only this server of the model, such as llama-0")
	f.BoolVar(&o.asJSON, "json", false, "print JSON for scripts, an object for each line")
	f.BoolVar(&o.crashes, "crashes", false, "show how the model's servers failed last instead")
	cmd.MarkFlagsMutuallyExclusive("crashes", "follow")
	cmd.MarkFlagsMutuallyExclusive("crashes", "since")
	return cmd
}

func (o *logsOptions) query(ansi bool) string {
	query := url.Values{"lines": {strconv.Itoa(o.lines)}}
	if o.since >= 0 {
		query.Set("since", strconv.FormatInt(o.since, 10))
	}
	if o.instance != "" {
		query.Set("instance", o.instance)
	}
	if o.follow {
		query.Set("follow", "true")
	}
	if ansi {
		query.Set("ansi", "true")
	}
	return "/logs?" + query.Encode()
}

// print shows the lines that there are.
func (o *logsOptions) print(ctx context.Context, path string, out *logPrinter) error {
	header := http.Header{}
	if o.asJSON {
		header.Set("Accept", "application/json")
	}
	resp, err := o.gateway.Open(ctx, http.MethodGet, path+o.query(out.terminal), header, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if !o.asJSON {
		_, err = io.Copy(out.w, resp.Body)
		return err
	}
	var list struct{ Lines []json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		return fmt.Errorf("decode the log: %w", err)
	}
	for _, line := range list.Lines {
		if _, err := fmt.Fprintf(out.w, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}

// watch shows lines as they come until ctx ends.
func (o *logsOptions) watch(ctx context.Context, path string, out *logPrinter, notes io.Writer) error {
	body, err := o.gateway.Call(ctx, http.MethodGet, path)
	if err != nil {
		return err
	}
	var m model
	if err := json.Unmarshal(body, &m); err != nil {
		return fmt.Errorf("decode the model's status: %w", err)
	}
	out.named = o.instance == "" && len(m.Instances) > 1
	return client.Watch(ctx, &o.gateway, path+o.query(out.terminal), "the log", notes, func(line logLine, text []byte) (string, error) {
		if line.Lost {
			_, err := fmt.Fprintln(notes, "fluidmcp: some lines came faster than they could be shown, and are gone")
			return "", err
		}
		id := ""
		if line.Offset > 0 {
			id = strconv.FormatInt(line.Offset, 10)
		}
		return id, out.show(line, text)
	})
}
