package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/follow"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
)

// outputQuery says which lines somebody wants.
type outputQuery struct {
	model    *board.Model
	instance string // "" is all
	lines    int
	since    int64 // offset; -1 is none
	follow   bool
	ansi     bool // with colours
}

// outputQuery reads the request for the output of a model.
func (a *API) outputQuery(r *http.Request) (outputQuery, error) {
	q := outputQuery{lines: 100, since: -1}
	var err error
	if q.model, err = a.find(r); err != nil {
		return q, err
	}
	if q.model.Driver == manifest.External {
		return q, conflict(q.model, "its output cannot be read")
	}
	query := r.URL.Query()
	if raw := query.Get("lines"); raw != "" {
		if q.lines, err = strconv.Atoi(raw); err != nil || q.lines < 1 || q.lines > logs.MaxLines {
			return q, badRequest("invalid_lines", "lines", fmt.Sprintf("lines must be a whole number from 1 to %d.", logs.MaxLines))
		}
	}
	// What a client that comes back has read last counts more, but both have to be right.
	for _, given := range [...]struct{ name, text string }{{"since", query.Get("since")}, {lastEventID, r.Header.Get(lastEventID)}} {
		if given.text == "" {
			continue
		}
		if q.since, err = strconv.ParseInt(given.text, 10, 64); err != nil || q.since < 0 {
			return q, badRequest("invalid_since", given.name, given.name+" must be the offset of a line, a whole number.")
		}
	}
	if q.follow, err = readBool(r, "follow"); err != nil {
		return q, err
	}
	if q.ansi, err = readBool(r, "ansi"); err != nil {
		return q, err
	}
	if q.instance = query.Get("instance"); q.instance != "" && len(a.streams(q)) == 0 {
		return q, badRequest("invalid_instance", "instance", fmt.Sprintf("The model %q has no instance %q.", q.model.ID, q.instance))
	}
	return q, nil
}

// streams are those that the query is about, as the model has them now.
func (a *API) streams(q outputQuery) []*logs.Stream {
	var streams []*logs.Stream
	for _, i := range a.Board.Servers(q.model) {
		if q.instance == "" || q.instance == i.ID {
			streams = append(streams, i.Output)
		}
	}
	return streams
}

// text is a line as the query wants it.
func (q outputQuery) text(line string) string {
	if q.ansi {
		return logs.Coloured(line)
	}
	return logs.Plain(line)
}

// Output answers GET /api/llm/models/{id}/logs as text, as JSON, or as a stream of events.
func (a *API) Output(w http.ResponseWriter, r *http.Request) error {
	q, err := a.outputQuery(r)
	if err != nil {
		return err
	}
	if q.follow && r.Method == http.MethodGet {
		return a.followOutput(w, r, q)
	}
	lines := a.Logs.Read(q.since, q.lines, a.streams(q))
	for i := range lines {
		lines[i].Text = q.text(lines[i].Text)
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		return web.JSON(w, http.StatusOK, Output{Lines: append([]logs.Line{}, lines...)})
	}
	return a.writeText(w, q, lines)
}

// Output is the answer to GET /api/llm/models/{id}/logs as JSON. Of the last line that has an offset, this is the since of the next question.
type Output struct {
	Lines []logs.Line `json:"lines"`
}

// writeText tells several instances apart as tail(1) does.
func (a *API) writeText(w http.ResponseWriter, q outputQuery, lines []logs.Line) error {
	var text bytes.Buffer
	servers := a.Board.Servers(q.model)
	for _, i := range servers {
		if len(servers) > 1 && (q.instance == "" || q.instance == i.ID) {
			fmt.Fprintf(&text, "==> %s <==\n", i.ID)
		}
		for _, line := range lines {
			if line.Instance == i.ID {
				fmt.Fprintln(&text, line.Text)
			}
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff") // a model may print HTML
	_, err := w.Write(text.Bytes())
	return err
}

// followOutput sends each line as an event, with its offset as id, until the client leaves, the model is taken out or the supervisor
// ends. Lines that are being written, such as progress bars, are events of the type "partial", without an id.
func (a *API) followOutput(w http.ResponseWriter, r *http.Request, q outputQuery) error {
	follower := a.Logs.Follow(q.since, q.lines, a.streams(q))
	defer follower.Close()
	out, err := follow.New(w, r, a.Ending, "logs of "+q.model.ID)
	if err != nil {
		return err
	}
	defer out.Close()
	for {
		changed, last := a.Board.Changed(), out.Ending() || a.Board.Find(q.model.ID) != q.model
		follower.Also(a.streams(q)) // replicas come with the models file
		news := follower.Next()
		if events := q.events(news); len(events) > 0 {
			if err := out.Raw(events); err != nil {
				return err
			}
		}
		if len(news.Lines) > 0 {
			continue // there may be more
		}
		if last {
			return nil
		}
		if err := out.Wait(follower.Changed(), changed); err != nil || out.Gone() {
			return err
		}
	}
}

func (q outputQuery) events(news logs.News) []byte {
	var events bytes.Buffer
	data := json.NewEncoder(&events) // writes one line, which is one data field
	data.SetEscapeHTML(false)
	if news.Lost {
		events.WriteString("event: lost\ndata: {\"lost\":true}\n\n")
	}
	write := func(line logs.Line) {
		events.WriteString("data: ")
		line.Text = q.text(line.Text)
		_ = data.Encode(line) // to memory
		events.WriteByte('\n')
	}
	for _, line := range news.Lines {
		fmt.Fprintf(&events, "id: %d\n", line.Offset)
		write(line)
	}
	for _, line := range news.Parts {
		events.WriteString("event: partial\n")
		write(line)
	}
	return events.Bytes()
}

// Crashes answers GET /api/llm/models/{id}/crashes, the newest first.
func (a *API) Crashes(w http.ResponseWriter, r *http.Request) error {
	q, err := a.outputQuery(r)
	if err != nil {
		return err
	}
	report := CrashReport{Crashes: []logs.Crash{}}
	for _, stream := range a.streams(q) {
		report.Crashes = append(report.Crashes, stream.Crashes()...)
	}
	slices.SortStableFunc(report.Crashes, func(a, b logs.Crash) int { return b.At.Compare(a.At) })
	return web.JSON(w, http.StatusOK, report)
}

// CrashReport is the answer to GET /api/llm/models/{id}/crashes.
type CrashReport struct {
	Crashes []logs.Crash `json:"crashes"`
}
