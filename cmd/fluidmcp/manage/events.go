package manage

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/manage/client"
)

// eventsShown is how many of the last events are shown to whom has not said since when.
const eventsShown = 100

// eventsOptions are the flags of `fluidmcp events`.
type eventsOptions struct {
	gateway client.Gateway
	follow  bool
	model   string
	since   string
	asJSON  bool
}

// happened is what is shown of an event.
type happened struct {
	Number   uint64    `json:"number"`
	At       time.Time `json:"at"`
	Model    string    `json:"model"`
	Instance string    `json:"instance"`
	From     string    `json:"from"`
	Phase    string    `json:"phase"`
	Reason   string    `json:"reason"`
	Message  string    `json:"message"`
	By       string    `json:"by"`
	Key      string    `json:"key"`
	Exit     *struct {
		Code   int    `json:"code"`
		Signal string `json:"signal"`
	} `json:"exit"`
}

func newEvents() *cobra.Command {
	var o eventsOptions
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what happened to the models: starts, failures, stops, and why",
		Example: `  fluidmcp events --since 1h               what happened in the last hour
  fluidmcp events --follow --model my-llm   what happens to one model from now on, after its last 100 events
  fluidmcp events --since 0s -f --json | jq  what happens from now on, a line of JSON each`,
		Args: cli.AtMost(0),

		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.follow {
				return o.watch(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return o.list(cmd.Context(), cmd.OutOrStdout())
		},
	}
	o.gateway.AddFlag(cmd)
	f := cmd.Flags()
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with what happens, until Ctrl-C; also over a restart of the supervisor")
	f.StringVar(&o.model, "model", "", "only of this model; fluidmcp ps lists them")
	f.StringVar(&o.since, "since", "", fmt.Sprintf("a duration such as 15m, a time such as 2027-01-31T08:00:00Z, or the number of an event; without it the last %d are shown", eventsShown))
	f.BoolVar(&o.asJSON, "json", false, "print a line of JSON for each, with its number, for scripts")
	if err := cmd.RegisterFlagCompletionFunc("model", models(&o.gateway)); err != nil {
		panic(err) // the flag is three lines above
	}
	return cmd
}

// path asks for the events after since.
func (o *eventsOptions) path(follow bool) string {
	query := url.Values{}
	if o.since != "" {
		query.Set("since", o.since)
	} else {
		query.Set("limit", strconv.Itoa(eventsShown))
	}
	if follow {
		query.Set("follow", "true")
	}
	path := "events?"
	if o.model != "" {
		path = "models/" + url.PathEscape(o.model) + "/events?"
	}
	return path + query.Encode()
}

func (o *eventsOptions) list(ctx context.Context, w io.Writer) error {
	body, err := o.gateway.Call(ctx, http.MethodGet, o.path(false))
	if err != nil {
		return err
	}
	var list struct{ Events []json.RawMessage }
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("decode the list of events: %w", err)
	}
	for _, text := range list.Events {
		var e happened
		if err := json.Unmarshal(text, &e); err != nil {
			return fmt.Errorf("decode an event: %w", err)
		}
		if err := o.print(w, e, text); err != nil {
			return err
		}
	}
	return nil
}

// watch prints events as they come until ctx ends.
func (o *eventsOptions) watch(ctx context.Context, w, notes io.Writer) error {
	return client.Watch(ctx, &o.gateway, o.path(true), "events", notes, func(e happened, text []byte) (string, error) {
		return strconv.FormatUint(e.Number, 10), o.print(w, e, text)
	})
}

func (o *eventsOptions) print(w io.Writer, e happened, text []byte) error {
	line := string(text)
	if !o.asJSON {
		line = e.line()
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

// line is an event for people: when, whom, what, why.
func (e happened) line() string {
	what := e.Phase
	if e.From != "" && e.From != e.Phase {
		what = e.From + " → " + e.Phase
	}
	why := []string{e.Reason}
	if e.By != "" {
		why = append(why, strings.TrimSpace("by "+e.By+" "+e.Key))
	}
	if x := e.Exit; x != nil && x.Signal != "" {
		why = append(why, "signal "+x.Signal)
	} else if x != nil {
		why = append(why, fmt.Sprintf("exit code %d", x.Code))
	}
	why = append(why, e.Message)
	why = slices.DeleteFunc(why, func(s string) bool { return s == "" })
	line := fmt.Sprintf("%s  %-20s  %-22s  %s", e.At.Local().Format(time.DateTime), cmp.Or(e.Instance, e.Model, "supervisor"), what, strings.Join(why, ", "))
	return strings.TrimRight(line, " ")
}
