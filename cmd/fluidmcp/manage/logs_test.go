package manage

import (
	"bytes"
	"strings"
	"testing"
)

// TestProgressBarsOnATerminal shows what a terminal gets.
func TestProgressBarsOnATerminal(t *testing.T) {
	var out bytes.Buffer
	p := &logPrinter{w: &out, terminal: true}
	for _, line := range []logLine{{Text: "bar 1%", Instance: "a"}, {Text: "bar 2%", Instance: "a"}, {Offset: 1, Text: "bar 3%", Instance: "a"},
		{Text: "", Instance: "a"}, {Text: "new", Instance: "a"}, {Text: "", Instance: "b"}, {Text: "", Instance: "a"}, {Offset: 2, Text: "end", Instance: "a"}} {
		if err := p.show(line, nil); err != nil {
			t.Fatal(err)
		}
	}
	if want := "bar 1%~\r\x1b[Kbar 2%~\r\x1b[Kbar 3%\nnew~\r\x1b[K~end\n"; strings.ReplaceAll(out.String(), "\x1b[0m", "~") != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
