package logs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
)

// kept are logs with files in dir.
func kept(dir string, failed func(string, error)) *logs.Logs {
	return logs.New(logs.Config{Dir: dir, FileBytes: 4 << 10, Files: 3, Failed: failed})
}

// fine is what tells of failures where none may be.
func fine(t *testing.T) func(string, error) {
	return func(instance string, err error) { t.Errorf("%s: %v", instance, err) }
}

func TestLinesSurviveTheSupervisor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	for life := range 3 {
		all := kept(dir, fine(t))
		s, other := all.Stream("org/m-0"), all.Stream("m-1")
		if got := len(s.Last(100)); got != 10*life {
			t.Errorf("life %d begins with %d lines", life, got)
		}
		for i := range 10 {
			fmt.Fprintln(s, "life", life, "line", i)
			fmt.Fprintln(other, "another")
		}
		s.Crashed(logs.Crash{Code: life})()
		all.Close()
	}
	all := kept(dir, fine(t))
	defer all.Close()
	s := all.Stream("org/m-0")
	var offsets []int64
	for _, line := range s.Last(100) {
		offsets = append(offsets, line.Offset)
		if line.Time.IsZero() || line.Instance != "org/m-0" {
			t.Errorf("%+v", line)
		}
	}
	if len(offsets) != 30 || offsets[0] != 1 || offsets[29] != 59 {
		t.Errorf("offsets %v", offsets)
	}
	follower := all.Follow(57, 0, []*logs.Stream{s, all.Stream("m-1")})
	defer follower.Close()
	news := follower.Next()
	if diff := cmp.Diff([]string{"another", "life 2 line 9", "another"}, texts(news.Lines)); diff != "" || news.Lost {
		t.Errorf("a follower that goes on, lost %t:\n%s", news.Lost, diff)
	}
	if c := s.Crashes(); len(c) != 3 || c[2].Code != 2 || len(c[2].Lines) != 10 {
		t.Errorf("crashes %+v", c)
	}
	if lines := s.Present(100); len(lines) != 0 {
		t.Errorf("lines of a server that was not started: %q", lines)
	}
}

// TestGoneInstances take no memory. What is on disk is there for the next one of the name.
func TestGoneInstances(t *testing.T) {
	f := func(dir string, want ...string) {
		t.Helper()
		all := kept(dir, fine(t))
		defer all.Close()
		first := all.Stream("m-0")
		fmt.Fprintln(first, "first")
		all.Forget("m-0")
		all.Forget("never there")
		second := all.Stream("m-0")
		if diff := cmp.Diff(want, texts(second.Last(10))); diff != "" || second == first {
			t.Errorf("the next one begins with\n%s", diff)
		}
		fmt.Fprintln(second, "second")
		if last := second.Last(1); last[0].Text != "second" || last[0].Offset != 2 {
			t.Errorf("%+v", last)
		}
	}
	f("")
	f(t.TempDir(), "first")
}

func TestFilesAreRotated(t *testing.T) {
	dir := t.TempDir()
	all := kept(dir, fine(t))
	s := all.Stream("m-0")
	follower := all.Follow(0, 0, []*logs.Stream{s})
	defer follower.Close()
	for i := range 500 {
		fmt.Fprintf(s, "line %03d %s\n", i, strings.Repeat("x", 50))
		if news := follower.Next(); len(news.Lines) != 1 || news.Lost {
			t.Fatalf("line %d: the follower got %+v", i, news)
		}
	}
	all.Close()
	var last int64
	for _, name := range []string{"m-0.log.2", "m-0.log.1", "m-0.log"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > 4<<10 || len(text) == 0 || text[len(text)-1] != '\n' {
			t.Errorf("%s has %d bytes, torn or too many", name, len(text))
		}
		for line := range strings.Lines(string(text)) {
			var offset int64
			var stamp string
			var number int
			if _, err := fmt.Sscanf(line, "%d %s line %d", &offset, &stamp, &number); err != nil || last != 0 && offset != last+1 || number != int(offset)-1 {
				t.Fatalf("%s: %q after offset %d: %v", name, line, last, err)
			}
			last = offset
		}
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "m-0.log*")); len(names) != 3 || last != 500 {
		t.Errorf("files %v end with offset %d", names, last)
	}
	again := kept(dir, fine(t))
	defer again.Close()
	old := again.Follow(3, 0, []*logs.Stream{again.Stream("m-0")})
	defer old.Close()
	if news := old.Next(); !news.Lost || len(news.Lines) == 0 {
		t.Errorf("whoever has read up to a line that is on no file any more gets %d lines, lost %t", len(news.Lines), news.Lost)
	}
}

func TestTornFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	stamp := "2026-11-01T10:00:00.5Z"
	content := "7 " + stamp + " whole\nrubbish\n9 " + stamp + "\n-1 " + stamp + " x\n8 " + stamp + " " + strings.Repeat("y", 10) + "\n9 " + stamp + " tor"
	for name, text := range map[string]string{"m-0.log": content, "m-0.crashes.jsonl": "{\"code\": 3}\n{\"co"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := kept(dir, fine(t))
	s := all.Stream("m-0")
	fmt.Fprintln(s, "new")
	all.Close()
	if diff := cmp.Diff([]string{"whole", "yyyyyyyyyy", "new"}, texts(s.Last(10))); diff != "" {
		t.Error(diff)
	}
	if c := s.Crashes(); len(c) != 1 || c[0].Code != 3 {
		t.Errorf("crashes %+v", c)
	}
	text, err := os.ReadFile(filepath.Join(dir, "m-0.log"))
	if err != nil || !strings.Contains(string(text), " tor\n9 ") {
		t.Errorf("%v; the new line does not stand alone: %q", err, text)
	}
}

func TestFailingDiskCostsOnlyWhatIsOnIt(t *testing.T) {
	full := "/dev/full" // every write to it fails with ENOSPC
	if _, err := os.Stat(full); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "m-0.log")
	if err := os.Symlink(full, name); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var told []error
		all := kept(dir, func(_ string, err error) { told = append(told, err) })
		defer all.Close()
		s := all.Stream("m-0")
		for range 3 {
			fmt.Fprintln(s, "in memory alone")
			time.Sleep(11 * time.Second)
		}
		if len(told) != 1 || !errors.Is(told[0], syscall.ENOSPC) || len(s.Last(10)) != 3 {
			t.Errorf("%d lines, told %v", len(s.Last(10)), told)
		}
		if err := os.Remove(name); err != nil { // there is room again
			t.Fatal(err)
		}
		time.Sleep(11 * time.Second)
		fmt.Fprintln(s, "on disk")
		fmt.Fprintln(s, "and so on")
		if len(told) != 2 || told[1] != nil {
			t.Errorf("told %v", told)
		}
		if text, _ := os.ReadFile(name); !strings.HasPrefix(string(text), "4 ") || strings.Count(string(text), "\n") != 2 {
			t.Errorf("on disk is %q", text)
		}
	})
}

// TestFollowersHearOfWhatIsOnDisk: a line that a killed supervisor had shown and not kept would lose its offset to another one, which
// who comes back with that offset never sees. The callback of a disk that fails is called while it is written to.
func TestFollowersHearOfWhatIsOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // no folder
		t.Fatal(err)
	}
	var follower *logs.Follower
	written := 0
	all := kept(dir, func(string, error) {
		if follower == nil { // it reads what an earlier one has left
			return
		}
		written++
		select {
		case <-follower.Changed():
			t.Error("told before it was written")
		default:
		}
	})
	defer all.Close()
	s := all.Stream("m-0")
	follower = all.Follow(0, 0, []*logs.Stream{s})
	defer follower.Close()
	fmt.Fprintln(s, "a line")
	if lines := follower.Next().Lines; written != 1 || len(lines) != 1 {
		t.Errorf("written %d times, read %v", written, lines)
	}
}

// A disk may take its time for what an earlier supervisor has left of one server. The others print meanwhile.
func TestRestoringHoldsUpNobody(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var other *logs.Stream
	restored := 0
	all := kept(dir, func(instance string, _ error) {
		if instance == "m-1" && other != nil { // within the call for that stream
			restored++
			printed := make(chan struct{})
			go func() {
				defer close(printed)
				fmt.Fprintln(other, "meanwhile")
			}()
			select {
			case <-printed:
			case <-time.After(time.Minute):
				t.Error("m-0 cannot print while m-1 is read from disk")
			}
		}
	})
	defer all.Close()
	other = all.Stream("m-0")
	all.Stream("m-1")
	if lines := other.Last(1); restored != 1 || len(lines) != 1 || lines[0].Text != "meanwhile" {
		t.Errorf("restored %d times, m-0 has %v", restored, lines)
	}
}

func TestUnusableFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var told []error
	all := kept(dir, func(_ string, err error) { told = append(told, err) })
	defer all.Close()
	s := all.Stream("m-0")
	fmt.Fprintln(s, "a")
	fmt.Fprintln(s, "b")
	s.Crashed(logs.Crash{})()
	if len(s.Last(10)) != 2 || len(s.Crashes()) != 1 || len(told) == 0 {
		t.Errorf("%d lines, told %v", len(s.Last(10)), told)
	}
}
