package manage

import (
	"fmt"
	"hash/fnv"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
)

// logLine is a line as the supervisor sends it.
type logLine struct {
	Offset   int64  `json:"offset"` // 0: it is being written
	Instance string `json:"instance"`
	Text     string `json:"line"`
	Lost     bool   `json:"lost"` // no line: some came faster than they could be read
}

// logPrinter prints lines as they come.
type logPrinter struct {
	w        io.Writer
	asJSON   bool
	terminal bool   // colours make sense, and lines can be written over
	named    bool   // each line begins with its server
	shown    string // server whose unfinished line stands at the cursor
}

func newLogPrinter(w io.Writer, asJSON bool) *logPrinter {
	return &logPrinter{w: w, asJSON: asJSON, terminal: !asJSON && cli.IsTerminal(w)}
}

// eraseLine goes to the begin of the terminal's line and empties it.
const eraseLine = "\r\x1b[K"

// show prints a line. One that is being written, such as a progress bar, is only for a terminal, where the next takes its place.
func (p *logPrinter) show(line logLine, text []byte) error {
	partial := line.Offset == 0
	switch {
	case partial && (!p.terminal || line.Text == "" && p.shown != line.Instance):
		return nil
	case p.asJSON:
		_, err := fmt.Fprintf(p.w, "%s\n", text)
		return err
	}
	erase, end := "", "\n"
	if p.shown != "" {
		erase, p.shown = eraseLine, ""
	}
	shown := p.name(line.Instance) + line.Text
	if partial {
		end = ""
		if shown = p.fitting(line); line.Text != "" {
			p.shown = line.Instance
		}
	}
	_, err := io.WriteString(p.w, erase+shown+end)
	return err
}

// name is what a line begins with, in a colour that each server keeps.
func (p *logPrinter) name(instance string) string {
	if !p.named {
		return ""
	}
	if !p.terminal {
		return instance + " | "
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(instance)) // never fails
	return fmt.Sprintf("\x1b[%dm%s |\x1b[0m ", 31+h.Sum32()%6, instance)
}

// fitting is an unfinished line cut to the width of the terminal: one that is wrapped could not be written over.
func (p *logPrinter) fitting(line logLine) string {
	text := []rune(line.Text)
	if f, ok := p.w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			text = text[:min(len(text), max(0, width-len(line.Instance)-4))]
		}
	}
	return p.name(line.Instance) + string(text) + "\x1b[0m"
}
