package progress

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/why"
	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/version"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Progress tells a person at the terminal what happens to the models, as it happens.
type Progress struct {
	file   *manifest.File
	colour bool

	mu      sync.Mutex // shown by the feed's goroutine, ended by the signal's
	w       io.Writer
	base    string // address of the gateway for people, without a path
	keyed   bool   // it asks for API keys
	seen    map[string]fleet.Model
	since   map[string]time.Time // when a model began to start, until all its servers are up
	greeted bool                 // the addresses were shown, or are of no use any more
	waiting bool                 // that there are none yet was told
}

// New is one that has told nothing yet.
func New(w io.Writer, file *manifest.File) *Progress {
	return &Progress{w: w, file: file, colour: cli.IsTerminal(w), seen: map[string]fleet.Model{}, since: map[string]time.Time{}}
}

// Hello prints what runs. base is the address of the gateway for people; keyed says that it asks for API keys.
func (p *Progress) Hello(base string, keyed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.base, p.keyed = base, keyed
	fmt.Fprintf(p.w, "FluidMCP %s runs %s\n\n", version.Get().Version, p.file.Path)
	for _, warning := range p.file.Warnings {
		fmt.Fprintf(p.w, "%s\n\n", warning)
	}
}

// Show prints what changed since the last snapshot, and the addresses to try once a model is ready and none that starts here is
// on its way. Those that run elsewhere may never come.
func (p *Progress) Show(s fleet.Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ready, onDemand, down, coming := "", "", "", false
	for _, m := range s.Models {
		before := p.seen[m.ID]
		if m.Phase == fleet.Starting && before.Phase != fleet.Starting {
			p.since[m.ID] = time.Now()
		}
		if news(before, m) {
			p.line(m, before.Phase != m.Phase)
		}
		p.seen[m.ID] = m
		switch m.Phase {
		case fleet.Ready:
			ready = cmp.Or(ready, m.ID)
		case fleet.Stopped:
			if m.OnDemand { // the address to try starts it
				onDemand = cmp.Or(onDemand, m.ID)
			}
			down = cmp.Or(down, m.ID)
		case fleet.Failed:
			down = cmp.Or(down, m.ID)
		case fleet.Pending, fleet.Starting:
			coming = coming || p.process(m.ID) != nil
		}
	}
	ready = cmp.Or(ready, onDemand)
	switch {
	case p.greeted || coming:
	case ready != "":
		p.greeted = true
		p.addresses(ready)
	case !p.waiting:
		p.waiting = true
		fmt.Fprintln(p.w, "\nNo model is ready. What changes is shown here; Ctrl-C ends FluidMCP.")
		if down != "" {
			fmt.Fprintf(p.w, "In another terminal `fluidmcp start %s` starts it.\n", down)
		}
		fmt.Fprintln(p.w)
	}
}

// news tells whether there is something to say of a model.
func news(before, m fleet.Model) bool {
	switch {
	case before.Phase != m.Phase || before.Reason != m.Reason:
		return m.Phase != fleet.Pending || m.Reason != "" // a start that need not wait is pending for a moment
	case m.Phase == fleet.Ready:
		return servers(before) != servers(m)
	case m.Phase == fleet.Starting: // not each percentage of it, and not that what is starting starts
		return stage(before.Message) != stage(m.Message) && m.Message != string(m.Phase)
	}
	return before.Message != m.Message
}

// stage is how far a start is without its percentage.
func stage(message string) string { return strings.TrimRight(message, "0123456789 %") }

// Changed prints what another text of the models file changes, or why it is refused.
func (p *Progress) Changed(file *manifest.File, set change.Set, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		fmt.Fprintf(p.w, "\n%v\nIt is refused; the models before stay in force.\n\n", err)
		return
	}
	p.file = file
	if !set.Empty() {
		fmt.Fprintln(p.w, "\nThe models change:")
		_ = set.Text(p.w, p.colour)
		fmt.Fprintln(p.w)
	}
}

// servers tells where a model that is ready answers: one of several may be down all the same.
func servers(m fleet.Model) string {
	if len(m.Backends) == 1 {
		return m.Backends[0].URL
	}
	return fmt.Sprintf("%d of %d servers", up(m), len(m.Backends))
}

// up counts the servers of a model that take requests.
func up(m fleet.Model) (n int) {
	for _, b := range m.Backends {
		if b.Routable {
			n++
		}
	}
	return n
}

// process is the model when its servers are started here, else nil.
func (p *Progress) process(id string) *manifest.Model {
	i := slices.IndexFunc(p.file.Models, func(m manifest.Model) bool { return m.ID == id && m.Driver == manifest.Process })
	if i < 0 {
		return nil
	}
	return &p.file.Models[i]
}

// line tells of a model, of one that begins to start what runs, however far that has come by now.
func (p *Progress) line(m fleet.Model, begun bool) {
	detail := why.Of(m.Phase, m.Reason, m.Message)
	switch m.Phase {
	case fleet.Starting:
		if command := p.commandLine(m.ID); begun || detail == "" {
			detail = cmp.Or(command, detail)
		}
	case fleet.Ready:
		detail = servers(m)
		if start, ok := p.since[m.ID]; ok {
			detail += fmt.Sprintf(" after %.1f s", time.Since(start).Seconds())
		}
		if up(m) == len(m.Backends) {
			delete(p.since, m.ID)
		}
	}
	detail = cmp.Or(detail, m.Reason)
	if (m.Phase == fleet.Backoff || m.Phase == fleet.Failed) && p.process(m.ID) != nil && m.Reason != string(unit.StartFailed) { // that one has no log
		detail += fmt.Sprintf("; `fluidmcp logs %s` shows why", m.ID)
	}
	fmt.Fprintln(p.w, strings.TrimRight(fmt.Sprintf("  %-20s %s  %s", m.ID, p.paint(m.Phase), detail), " "))
}

// commandLine is what the file says to run for a model.
func (p *Progress) commandLine(id string) string {
	if m := p.process(id); m != nil {
		return m.Instances[0].CommandLine()
	}
	return ""
}

// paint pads a phase and, on a terminal, gives it the colour of a traffic light.
func (p *Progress) paint(phase fleet.Phase) string {
	padded := fmt.Sprintf("%-9s", phase)
	if !p.colour {
		return padded
	}
	code := 33
	switch phase {
	case fleet.Ready:
		code = 32
	case fleet.Failed, fleet.Unhealthy, fleet.Backoff:
		code = 31
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, padded)
}

func (p *Progress) addresses(model string) {
	key := ""
	if p.keyed {
		key = `-H "Authorization: Bearer $KEY" `
	}
	fmt.Fprintf(p.w, `
Try:
  chat     curl %[1]s/llm/%[2]s/chat/completions -H 'Content-Type: application/json' \
             %[3]s-d '{"messages":[{"role":"user","content":"Hello, how are you?"}],"max_tokens":100}'
  metrics  %[1]s/metrics
  health   %[1]s/health
  UI       %[1]s/ui/
  API      %[1]s/docs/

Ctrl-C lets requests finish and ends the models.
`, p.base, model, key)
}

// Stopping prints that everything is about to end.
func (p *Progress) Stopping() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.greeted = true
	fmt.Fprintln(p.w, "\nStopping: requests in flight may finish. Ctrl-C again ends at once.")
}

// Stopped prints that everything has ended, unless the end is an error, which somebody else prints.
func (p *Progress) Stopped(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		fmt.Fprintln(p.w, "Stopped.")
	}
}
