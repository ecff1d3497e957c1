package logs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
)

func TestLines(t *testing.T) {
	f := func(writes []string, want ...string) {
		t.Helper()
		var r logs.Ring
		for _, w := range writes {
			if n, err := r.Write([]byte(w)); n != len(w) || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
		}
		if diff := cmp.Diff(want, r.Last(100)); diff != "" {
			t.Errorf("%q:\n%s", writes, diff)
		}
	}
	f(nil)
	f([]string{"a\nb\n"}, "a", "b")
	f([]string{"a", "b\n", "c"}, "ab", "c")
	f([]string{"a\r\nb\r\n"}, "a", "b")
	f([]string{"a\r", "\nb\r\n"}, "a", "b")
	f([]string{"\n\n"}, "", "")
	f([]string{" 10%\r 50%\r100%\ndone\n"}, "100%", "done")
	f([]string{" 10%\r", " 50%\r"}, " 50%")
	f([]string{"\r\r\rx"}, "x")
}

func TestLongLinesAreCut(t *testing.T) {
	var r logs.Ring
	long := strings.Repeat("x", 40<<10)
	for range 3 {
		fmt.Fprint(&r, long)
	}
	fmt.Fprint(&r, "\nshort\n")
	got := r.Last(2)
	if len(got[0]) != 64<<10+len(" [cut]") || !strings.HasSuffix(got[0], "x [cut]") || got[1] != "short" {
		t.Errorf("%d bytes, then %q", len(got[0]), got[1])
	}
}

func TestOldLinesGo(t *testing.T) {
	var r logs.Ring
	for i := range logs.MaxLines + 5 {
		fmt.Fprintln(&r, i)
	}
	all := r.Last(1 << 30)
	if len(all) != logs.MaxLines || all[0] != "5" {
		t.Errorf("%d lines from %q", len(all), all[0])
	}
	if last := r.Last(2); last[0] != "10003" || last[1] != "10004" {
		t.Errorf("last %q", last)
	}
	line := strings.Repeat("x", 60<<10) + "\n"
	for range 1000 {
		fmt.Fprint(&r, line)
	}
	size := 0
	for _, l := range r.Last(logs.MaxLines) {
		size += len(l)
	}
	if size > 8<<20 || size < 7<<20 {
		t.Errorf("%d bytes are kept", size)
	}
}

// FuzzRing checks that the cuts between writes do not matter.
func FuzzRing(f *testing.F) {
	f.Add([]byte("a\r\nb\rc\n\r\n"), 3)
	f.Fuzz(func(t *testing.T, data []byte, at int) {
		if at < 0 || at > len(data) {
			return
		}
		var whole, parts logs.Ring
		_, _ = whole.Write(data)
		_, _ = parts.Write(data[:at])
		_, _ = parts.Write(data[at:])
		if diff := cmp.Diff(whole.Last(100), parts.Last(100)); diff != "" {
			t.Errorf("%q cut at %d:\n%s", data, at, diff)
		}
	})
}
