package engine

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// ModelLabel marks a container as a server of the model whose id is the label's value.
	ModelLabel = "com.fluidmcp.model"
	// ProjectLabel names the compose project that created a container; compose sets it.
	ProjectLabel = "com.docker.compose.project"
)

// stopSlack is how much longer than a container's grace the engine may take to end it.
const stopSlack = 15 * time.Second

// Summary is a container in a list. The fields are those of the API that are of use here, and no more.
type Summary struct {
	ID     string   `json:"Id"`
	Names  []string // each with a slash before it
	Labels map[string]string
}

// Named tells whether the container has the name.
func (s Summary) Named(name string) bool { return slices.Contains(s.Names, "/"+name) }

// Name is the container's name, as people know it.
func (s Summary) Name() string {
	if len(s.Names) == 0 {
		return s.ID
	}
	return strings.TrimPrefix(s.Names[0], "/")
}

// Container is one that was looked at. The fields are those of the API that are of use here, and no more.
type Container struct {
	ID     string `json:"Id"`
	State  State
	Config struct {
		Labels map[string]string
		Tty    bool // the log is one stream as it was written, not two in frames
	}
	RestartCount int // by the engine's own restart policy, since somebody started it
}

// State is how a container is.
type State struct {
	Running    bool // also while it is paused, or between two runs of the engine's own restart policy
	Restarting bool
	OOMKilled  bool      // memory ran out for a process of the present or last run
	StartedAt  time.Time // of the present or last run
	FinishedAt time.Time // of the last run that is over; the year 1 when none is
}

// Listen says what to hear of a container's log.
type Listen struct {
	Since  time.Time // lines from then on; zero for all
	Tail   int       // at most so many lines of the past; 0 for all
	Follow bool      // go on until the container ends
}

func path(id, call string) string { return "/containers/" + url.PathEscape(id) + "/" + call }

// List returns all containers, also those that do not run.
func (c *Client) List(ctx context.Context) ([]Summary, error) {
	var all []Summary
	err := c.quick(ctx, http.MethodGet, "/containers/json", url.Values{"all": {"1"}}, &all)
	return all, err
}

// Inspect looks at the container with an id, the beginning of one, or a name.
func (c *Client) Inspect(ctx context.Context, id string) (Container, error) {
	var found Container
	err := c.quick(ctx, http.MethodGet, path(id, "json"), nil, &found)
	return found, err
}

// Start starts a container. One that runs already is left as it is.
func (c *Client) Start(ctx context.Context, id string) error {
	return c.quick(ctx, http.MethodPost, path(id, "start"), nil, nil)
}

// Stop sends a container its stop signal, SIGTERM as a rule, and SIGKILL after grace, which counts in whole seconds. It returns once the
// container has ended, at once when it did not run.
func (c *Client) Stop(ctx context.Context, id string, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, grace+stopSlack)
	defer cancel()
	seconds := int((grace + time.Second - 1) / time.Second)
	return c.call(ctx, http.MethodPost, path(id, "stop"), url.Values{"t": {strconv.Itoa(seconds)}}, nil)
}

// Kill sends SIGKILL to a container.
func (c *Client) Kill(ctx context.Context, id string) error {
	return c.quick(ctx, http.MethodPost, path(id, "kill"), nil, nil)
}

// Wait returns the exit code once the container does not run. The engine says when it has begun to wait, and begun is called then: a run
// that is under way at that moment is the one whose end Wait tells. An error of begun ends it.
func (c *Client) Wait(ctx context.Context, id string, begun func() error) (int, error) {
	resp, err := c.open(ctx, http.MethodPost, path(id, "wait"), url.Values{"condition": {"not-running"}})
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if err := begun(); err != nil {
		return 0, err
	}
	var exit struct{ StatusCode int }
	err = decode(resp, &exit)
	return exit.StatusCode, err
}

// Logs is a container's log as the engine sends it: in frames, which Demultiplex reads, unless the container has a terminal.
func (c *Client) Logs(ctx context.Context, id string, what Listen) (io.ReadCloser, error) {
	query := url.Values{"stdout": {"1"}, "stderr": {"1"}}
	if what.Follow {
		query.Set("follow", "1")
	}
	if what.Tail > 0 {
		query.Set("tail", strconv.Itoa(what.Tail))
	}
	if what.Since.Year() > 1 {
		query.Set("since", Timestamp(what.Since))
	}
	resp, err := c.open(ctx, http.MethodGet, path(id, "logs"), query)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// Timestamp is a time as the API takes it: seconds since 1970 with nanoseconds behind the point.
func Timestamp(t time.Time) string {
	nanos := strconv.Itoa(t.Nanosecond())
	return strconv.FormatInt(t.Unix(), 10) + "." + strings.Repeat("0", 9-len(nanos)) + nanos
}
