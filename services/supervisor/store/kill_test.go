package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// smallFile makes a new file begin every few dozen events.
const smallFile = 8 << 10

// writeEvents is a process that adds events for ever and prints the number of each that it was told. limit bounds the size of a file
// that it may write, "0" does not.
func writeEvents(path, limit string) {
	if bytes, _ := strconv.ParseUint(limit, 10, 64); bytes > 0 {
		signal.Ignore(syscall.SIGXFSZ) // a write beyond the limit fails instead
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes}); err != nil {
			panic(err)
		}
	}
	s, err := Open(path, zap.NewNop())
	if err != nil {
		panic(err)
	}
	s.Events.file.max = smallFile
	go s.Run(context.Background())
	_, news := s.Events.After(0)
	told := s.Events.last
	for i := 0; ; i++ {
		for range 1 + i%3 {
			s.Events.Add(Event{Model: "m", Message: strings.Repeat("x", i%100), Attempt: i})
		}
		<-news
		var events []Event
		events, news = s.Events.After(told)
		for _, e := range events {
			told = e.Number
			fmt.Println(told)
		}
	}
}

// TestKilledWriterLosesNothing kills a process again and again while it writes.
func TestKilledWriterLosesNothing(t *testing.T) {
	path := t.TempDir()
	var told []uint64
	for range 15 {
		told = append(told, writeUntilKilled(t, path, "0", 1+rand.IntN(60))...)
		require.IsIncreasing(t, told)
		requireKept(t, path, told)
	}
	require.FileExists(t, filepath.Join(path, olderName), "no file has become the older one: the test is too short")
}

// TestDiskThatEndsWithinAnEvent has a limit of the size of files, which cuts a write as a full disk does.
func TestDiskThatEndsWithinAnEvent(t *testing.T) {
	for limit := 0; limit < 150; limit += 10 {
		path := t.TempDir()
		told := writeUntilKilled(t, path, strconv.Itoa(2000+limit), 30) // goes on from memory
		s, err := Open(path, zap.NewNop())
		require.NoError(t, err)
		kept, _ := s.Events.After(0)
		require.Equal(t, told[:len(kept)], numbers(kept))
		require.NotEmpty(t, kept)
		require.Less(t, len(kept), len(told))
		require.GreaterOrEqual(t, s.Events.last, told[len(told)-1], "numbers would repeat")
		require.NoError(t, s.Close())
	}
}

// writeUntilKilled returns at least the first n numbers that a writer was told before it was killed.
func writeUntilKilled(t *testing.T, path, limit string, n int) (told []uint64) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "write-events", path, limit)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		number, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil {
			break // the last line, cut by the kill
		}
		if told = append(told, number); len(told) == n {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	_ = cmd.Wait() // killed
	require.GreaterOrEqual(t, len(told), n)
	return told
}
