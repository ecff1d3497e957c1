package logs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
)

// texts are the lines alone.
func texts(lines []logs.Line) []string {
	var out []string
	for _, l := range lines {
		out = append(out, l.Text)
	}
	return out
}

// written is a stream with all that was written to it.
func written(writes ...string) *logs.Stream {
	s := logs.New(logs.Config{}).Stream("m-0")
	for _, w := range writes {
		if n, err := s.Write([]byte(w)); n != len(w) || err != nil {
			panic(fmt.Sprint(n, err))
		}
	}
	return s
}

func TestLines(t *testing.T) {
	f := func(writes []string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, texts(written(writes...).Last(100))); diff != "" {
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
	f([]string{"caf\xc3", "\xa9 \xff\n"}, "café \uFFFD")
}

func TestLongLinesAreCut(t *testing.T) {
	s := written()
	long := strings.Repeat("x", 40<<10)
	for range 3 {
		fmt.Fprint(s, long)
	}
	fmt.Fprint(s, "\nshort\n")
	got := texts(s.Last(2))
	if len(got[0]) != 64<<10+len(" [cut]") || !strings.HasSuffix(got[0], "x [cut]") || got[1] != "short" {
		t.Errorf("%d bytes, then %q", len(got[0]), got[1])
	}
}

func TestOldLinesGo(t *testing.T) {
	s := written()
	for i := range logs.MaxLines + 5 {
		fmt.Fprintln(s, i)
	}
	all := texts(s.Last(1 << 30))
	if len(all) != logs.MaxLines || all[0] != "5" {
		t.Errorf("%d lines from %q", len(all), all[0])
	}
	if diff := cmp.Diff([]string{"10003", "10004"}, texts(s.Last(2))); diff != "" {
		t.Error(diff)
	}
	line := strings.Repeat("x", 60<<10) + "\n"
	for range 200 {
		fmt.Fprint(s, line)
	}
	size := 0
	for _, l := range s.Last(logs.MaxLines) {
		size += len(l.Text)
	}
	if size > 8<<20 || size < 7<<20 {
		t.Errorf("%d bytes are kept", size)
	}
}

func TestObserverSeesStatesOfBars(t *testing.T) {
	s := written()
	var seen []string
	s.Observe(func(text string) { seen = append(seen, text) })
	fmt.Fprint(s, "\rload:   0%")
	fmt.Fprint(s, "\rload:  50%\r\x1b[32mload: 100%\x1b[0m\nready\r\nunfinished")
	if diff := cmp.Diff([]string{"load:   0%", "load:  50%", "load: 100%", "ready"}, seen); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"\x1b[32mload: 100%\x1b[0m", "ready", "unfinished"}, texts(s.Last(10))); diff != "" {
		t.Errorf("the log itself:\n%s", diff)
	}
}

func TestPresentServer(t *testing.T) {
	s := written("of the first\n")
	s.Begin()
	fmt.Fprint(s, "\x1b[31mof the second\x1b[0m\nlast wor")
	if diff := cmp.Diff([]string{"of the second", "last wor"}, s.Present(10)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"last wor"}, s.Present(1)); diff != "" {
		t.Error(diff)
	}
}

// TestFollowerOfWhatComesLater: a replica's log may have begun long before the replica came, and its follower has not read a line yet.
func TestFollowerOfWhatComesLater(t *testing.T) {
	for name, since := range map[string]int64{"from now on": -1, "from where it was": 1} {
		t.Run(name, func(t *testing.T) {
			cfg := logs.Config{Dir: t.TempDir(), FileBytes: 1 << 20, Files: 1}
			before := logs.New(cfg)
			fmt.Fprintln(before.Stream("m-2"), "of an earlier supervisor")
			before.Close()

			all := logs.New(cfg)
			t.Cleanup(all.Close)
			first, second := all.Stream("m-0"), all.Stream("m-1")
			fmt.Fprintln(second, "of before it was followed")
			follower := all.Follow(since, 100, []*logs.Stream{first})
			t.Cleanup(follower.Close)
			third := all.Stream("m-2")
			follower.Also([]*logs.Stream{first, second, third})
			if old := follower.Next(); len(old.Lines) > 0 || old.Lost {
				t.Errorf("%v, lost: %t", texts(old.Lines), old.Lost)
			}
			fmt.Fprintln(second, "b")
			fmt.Fprintln(third, "c")
			if diff := cmp.Diff([]string{"b", "c"}, texts(follower.Next().Lines)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFollowersReadInOrder(t *testing.T) {
	all := logs.New(logs.Config{})
	a, b := all.Stream("m-0"), all.Stream("m-1")
	for i := range 5 {
		fmt.Fprintln(a, "a", i)
		fmt.Fprintln(b, "b", i)
	}
	f := func(since int64, lines int, want ...string) *logs.Follower {
		t.Helper()
		follower := all.Follow(since, lines, []*logs.Stream{a, b})
		t.Cleanup(follower.Close)
		news := follower.Next()
		if diff := cmp.Diff(want, texts(news.Lines)); diff != "" || news.Lost {
			t.Errorf("since %d, %d lines, lost %t:\n%s", since, lines, news.Lost, diff)
		}
		return follower
	}
	f(-1, 0)
	f(-1, 1, "a 4", "b 4")
	f(8, 100, "a 4", "b 4")
	f(10, 100)
	f(11, 1, "a 4", "b 4") // of a supervisor that is no more
	tail := f(9, 0, "b 4")
	fmt.Fprint(b, "more\nhalf")
	<-tail.Changed()
	news := tail.Next()
	if diff := cmp.Diff([]string{"more"}, texts(news.Lines)); diff != "" || news.Lines[0].Offset != 11 || news.Lines[0].Instance != "m-1" {
		t.Errorf("%+v\n%s", news.Lines, diff)
	}
	if diff := cmp.Diff([]string{"half"}, texts(news.Parts)); diff != "" {
		t.Error(diff)
	}
	if again := tail.Next(); len(again.Lines)+len(again.Parts) > 0 {
		t.Errorf("told twice: %+v", again)
	}
	fmt.Fprint(b, "\n")
	if news = tail.Next(); texts(news.Lines)[0] != "half" || texts(news.Parts)[0] != "" {
		t.Errorf("%+v", news)
	}
}

func TestSlowFollowersLearnWhatTheyMissed(t *testing.T) {
	all := logs.New(logs.Config{})
	s := all.Stream("m-0")
	fmt.Fprintln(s, "first")
	follower := all.Follow(0, 0, []*logs.Stream{s})
	defer follower.Close()
	for i := range logs.MaxLines + 1 {
		fmt.Fprintln(s, i)
	}
	total, lost := 0, 0
	for {
		news := follower.Next()
		if len(news.Lines) == 0 {
			break
		}
		if news.Lost {
			lost++
		}
		total += len(news.Lines)
	}
	if total != logs.MaxLines || lost != 1 {
		t.Errorf("%d lines, told %d times that some were lost", total, lost)
	}
}

// TestLongLogsAreReadInOrder follows two servers of which one has printed everything before the other began.
func TestLongLogsAreReadInOrder(t *testing.T) {
	all := logs.New(logs.Config{})
	streams := []*logs.Stream{all.Stream("m-0"), all.Stream("m-1")}
	for _, s := range streams {
		for i := range 1200 {
			fmt.Fprintln(s, i)
		}
	}
	follower := all.Follow(0, 0, streams)
	defer follower.Close()
	next := int64(1)
	for news := follower.Next(); len(news.Lines) > 0; news = follower.Next() {
		for _, line := range news.Lines {
			if line.Offset != next {
				t.Fatalf("offset %d comes where %d should", line.Offset, next)
			}
			next++
		}
	}
	if next != 2401 {
		t.Errorf("%d lines", next-1)
	}
}

func TestCrashesAreRemembered(t *testing.T) {
	s := written()
	for i := range 7 {
		s.Begin()
		for n := range 250 {
			fmt.Fprintln(s, i, n, strings.Repeat("x", 10_000*(n/249)))
		}
		s.Crashed(logs.Crash{At: time.Unix(int64(i), 0), Code: i, Reason: "Exited", Message: "why"})()
	}
	all := s.Crashes()
	if len(all) != 5 || all[0].Code != 2 || all[4].Code != 6 || all[4].Instance != "m-0" || all[4].Reason != "Exited" {
		t.Fatalf("%d crashes: %+v", len(all), all)
	}
	lines := all[4].Lines
	if len(lines) != 200 || !strings.HasPrefix(lines[0], "6 50") || len(lines[199]) > 5000 || !strings.HasSuffix(lines[199], "[cut]") {
		t.Errorf("%d lines from %q, the last of %d bytes", len(lines), lines[0], len(lines[199]))
	}
}

// FuzzWrite checks that the cuts between writes do not matter, and that no secret gets through at any of them.
func FuzzWrite(f *testing.F) {
	f.Add([]byte("a\r\nb\rc\n\r\n"), 3)
	f.Add([]byte("key s3cr3t-s3cr3t\ns3cr3\rt"), 7)
	f.Fuzz(func(t *testing.T, data []byte, at int) {
		if at < 0 || at > len(data) {
			return
		}
		var shown [2]logs.News
		for i, cut := range []int{len(data), at} {
			all := logs.New(logs.Config{})
			all.Hide([]string{"s3cr3t"})
			s := all.Stream("m-0")
			follower := all.Follow(0, 0, []*logs.Stream{s})
			_, _ = s.Write(data[:cut])
			first := follower.Next()
			_, _ = s.Write(data[cut:])
			news := follower.Next()
			news.Lines = append(first.Lines, news.Lines...)
			for _, line := range append(first.Parts, append(news.Lines, news.Parts...)...) {
				if strings.Contains(line.Text, "s3cr3t") || line.Offset == 0 && strings.HasSuffix(line.Text, "s3cr3") && strings.Contains(string(data), "s3cr3t") {
					t.Errorf("%q cut at %d shows %q", data, cut, line.Text)
				}
			}
			shown[i] = news
		}
		if diff := cmp.Diff(texts(shown[0].Lines), texts(shown[1].Lines)); diff != "" {
			t.Errorf("%q cut at %d:\n%s", data, at, diff)
		}
	})
}
