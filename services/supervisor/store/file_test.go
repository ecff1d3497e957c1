package store

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// requireKept checks that all events that somebody was told of are there, but for the oldest of them.
func requireKept(t *testing.T, path string, told []uint64) {
	t.Helper()
	s, err := Open(path, zap.NewNop())
	require.NoError(t, err)
	kept, _ := s.Events.After(0)
	list := numbers(kept)
	require.IsIncreasing(t, append([]uint64{0}, list...))
	require.GreaterOrEqual(t, s.Events.last, told[len(told)-1], "numbers would repeat")
	from, _ := slices.BinarySearch(told, list[0])
	require.Subset(t, list, told[from:])
	require.Less(t, from, len(told), "none of them is left")
	require.NoError(t, s.Close())
}

// batches writes events in several writes and returns what the file was after each, and the numbers of the events so far.
func batches(t *testing.T, path string) (files [][]byte, told [][]uint64) {
	t.Helper()
	folder, err := openFolder(path)
	require.NoError(t, err)
	defer folder.Close()
	file, _, err := openEvents(folder, maxFile, func(Event) {})
	require.NoError(t, err)
	defer file.f.Close()
	number := uint64(7)
	var all []uint64
	for size := range 3 {
		var batch []Event
		for range size + 1 {
			number++
			all = append(all, number)
			batch = append(batch, Event{Number: number, Model: "m", Message: strings.Repeat("é\"\n", size), Phase: fleet.Ready})
		}
		require.NoError(t, file.append(batch))
		text, err := os.ReadFile(filepath.Join(path, currentName))
		require.NoError(t, err)
		files, told = append(files, text), append(told, slices.Clone(all))
	}
	return files, told
}

// TestTornTail cuts the file at each byte, as a kill within a write does, and fills it up with zeros, as a power failure may.
func TestTornTail(t *testing.T) {
	files, told := batches(t, t.TempDir())
	whole := files[len(files)-1]
	lastLine := len(bytes.TrimRight(whole, "\n")) - bytes.LastIndexByte(bytes.TrimRight(whole, "\n"), '\n')
	for cut := range whole {
		for name, rest := range map[string][]byte{"nothing": nil, "zeros": make([]byte, 700)} {
			path := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(path, currentName), slices.Concat(whole[:cut], rest), 0o600))
			var acknowledged []uint64
			for i, file := range files {
				if len(file) <= cut {
					acknowledged = told[i]
				}
			}
			s, err := Open(path, zap.NewNop())
			require.NoError(t, err)
			kept, _ := s.Events.After(0)
			require.Subset(t, append(numbers(kept), 0), append(acknowledged, 0), "cut at %d, then %s", cut, name)
			require.Equal(t, told[len(told)-1][:len(kept)], numbers(kept), "cut at %d, then %s", cut, name)
			if cut < len(whole)-lastLine { // what follows takes its time
				require.NoError(t, s.Close())
				continue
			}
			s.Events.Add(Event{Model: "next"})
			require.NoError(t, s.Events.write(s.Events.after(s.Events.told)))
			require.NoError(t, s.Close())
			s, err = Open(path, zap.NewNop())
			require.NoError(t, err)
			more, _ := s.Events.After(0)
			require.Equal(t, numbers(kept), numbers(more[:len(more)-1]))
			require.Equal(t, "next", more[len(more)-1].Model)
			require.NoError(t, s.Close())
		}
	}
}

// TestDamageWithin costs the lines that are damaged and no others.
func TestDamageWithin(t *testing.T) {
	f := func(name string, damaged int, want []uint64, lines ...string) {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(path, currentName), []byte(strings.Join(lines, "\n")+"\n"), 0o600))
			folder, err := openFolder(path)
			require.NoError(t, err)
			defer folder.Close()
			got := []uint64{}
			file, found, err := openEvents(folder, maxFile, func(e Event) { got = append(got, e.Number) })
			require.NoError(t, err)
			defer file.f.Close()
			require.Equal(t, want, got)
			require.Equal(t, damaged, found.lines)
		})
	}
	one, two, three := `{"number":1}`, `{"number":2}`, `{"number":3}`
	f("nothing", 0, []uint64{1, 2, 3}, one, two, three)
	f("zeros", 1, []uint64{1, 3}, one, "\x00\x00\x00", three)
	f("half a line", 1, []uint64{1, 3}, one, `{"num`, three)
	f("another thing", 2, []uint64{1, 3}, one, `[1]`, `{"number":"2"}`, three)
	f("no number", 1, []uint64{1, 3}, one, `{}`, three)
	f("a number beyond all", 1, []uint64{1, 3}, one, `{"number":18446744073709551615}`, three)
	f("a long line", 1, []uint64{1, 3}, one, strings.Repeat("x", 3*maxLine), three)
	f("an event at the end of a long line", 1, []uint64{1, 3}, one, strings.Repeat("x", maxLine)+two, three)
	f("twice", 0, []uint64{1, 2, 3}, one, two, one, two, three)
	f("nothing good", 0, []uint64{}, "x", "y")
}

// TestRotation looks at the folder as a kill would leave it at each step.
func TestRotation(t *testing.T) {
	path := t.TempDir()
	folder, err := openFolder(path)
	require.NoError(t, err)
	file, _, err := openEvents(folder, 200, func(Event) {})
	require.NoError(t, err)
	var told []uint64
	for n := range uint64(100) {
		require.NoError(t, file.append([]Event{{Number: n + 1, Message: "a message"}}))
		told = append(told, n+1)
	}
	for _, name := range []string{currentName, olderName} {
		info, err := os.Stat(filepath.Join(path, name))
		require.NoError(t, err)
		require.LessOrEqual(t, info.Size(), int64(200), name)
	}
	require.NoError(t, file.f.Close())
	require.NoError(t, folder.Close())
	requireKept(t, path, told)

	// Killed between the two steps of a rotation.
	require.NoError(t, os.Rename(filepath.Join(path, currentName), filepath.Join(path, olderName)))
	requireKept(t, path, told)
	require.NoError(t, os.Remove(filepath.Join(path, currentName)))
	requireKept(t, path, told)
}

// FuzzDamagedFile opens a folder with any file of events. What was good stays good, and what is added is there the next time.
func FuzzDamagedFile(f *testing.F) {
	f.Add([]byte(`{"number":1,"at":"2026-01-02T03:04:05Z","model":"m","exit":{"code":1}}`+"\n"+`{"number":2}`+"\n"), []byte(nil))
	f.Add([]byte(`{"number":1}`+"\n"+`{"number":`), []byte("\x00\x00\n{}\n"))
	f.Add([]byte("\n\n\r\n"), []byte(`{"number":9007199254740991}`+"\n"))
	f.Fuzz(func(t *testing.T, current, older []byte) {
		path := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(path, currentName), current, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(path, olderName), older, 0o600))
		s, err := Open(path, zap.NewNop())
		require.NoError(t, err)
		before, _ := s.Events.After(0)
		require.IsIncreasing(t, append([]uint64{0}, numbers(before)...))
		if s.Events.last < maxNumber {
			s.Events.Add(Event{Model: "added"})
		}
		added := s.Events.after(s.Events.told)
		require.NoError(t, s.Events.write(added))
		require.NoError(t, s.Close())

		s, err = Open(path, zap.NewNop())
		require.NoError(t, err)
		after, _ := s.Events.After(0)
		require.Equal(t, slices.Concat(before, added), after)
		require.NoError(t, s.Close())
	})
}

// FuzzReadEvents holds the reader against a slow one.
func FuzzReadEvents(f *testing.F) {
	f.Add([]byte(`{"number":1}` + "\n" + "x\n" + `{"number":2}` + "\nrest"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var got []uint64
		whole, damaged, err := readEvents(bytes.NewReader(text), func(e Event) { got = append(got, e.Number) })
		require.NoError(t, err)
		require.LessOrEqual(t, whole, int64(len(text)))
		var again []uint64
		_, damagedAgain, err := readEvents(bytes.NewReader(text[:whole]), func(e Event) { again = append(again, e.Number) })
		require.NoError(t, err)
		require.Equal(t, got, again)
		require.Equal(t, damaged, damagedAgain)
		require.Equal(t, bytes.Count(text[:whole], []byte("\n")), damaged+len(got))
	})
}
