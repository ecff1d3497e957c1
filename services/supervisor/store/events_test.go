package store

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// open opens a store that writes until the returned function, which may be called again, has ended it.
func open(t *testing.T, path string) (*Store, func()) {
	t.Helper()
	s, err := Open(path, zap.NewNop())
	require.NoError(t, err)
	return s, running(t, s)
}

func running(t *testing.T, s *Store) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		s.Run(ctx)
	}()
	end = sync.OnceFunc(func() {
		cancel()
		<-over
		require.NoError(t, s.Close())
	})
	t.Cleanup(end)
	return end
}

// await returns the events after a number once there are n.
func await(t *testing.T, e *Events, after uint64, n int) []Event {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		events, news := e.After(after)
		if len(events) >= n {
			return events
		}
		select {
		case <-news:
		case <-limit:
			t.Fatalf("%d events after %d, want %d", len(events), after, n)
		}
	}
}

func numbers(events []Event) []uint64 {
	list := make([]uint64, len(events))
	for i, e := range events {
		list[i] = e.Number
	}
	return list
}

func TestEventsSurvive(t *testing.T) {
	path := t.TempDir()
	s, end := open(t, path)
	s.Events.Add(Event{Model: "m", Instance: "m-0", Phase: fleet.Starting, Attempt: 1})
	s.Events.Add(Event{Model: "m", Instance: "m-0", From: fleet.Starting, Phase: fleet.Backoff, Reason: "Exited",
		Message: "the server was ended by signal \"killed\"\nnow", Attempt: 1, Exit: &Exit{137, "killed"}})
	first := await(t, s.Events, 0, 2)
	require.Equal(t, first[0].Number+1, first[1].Number)
	require.WithinDuration(t, time.Now(), first[0].At, time.Minute)
	end()

	s, _ = open(t, path)
	again, _ := s.Events.After(0)
	require.Equal(t, first, again)
	s.Events.Add(Event{Reason: "SupervisorStarted"})
	more := await(t, s.Events, first[1].Number, 1)
	require.Len(t, more, 1)
	require.Greater(t, more[0].Number, first[1].Number)
}

// TestEventsWithoutAFolder: a number of an earlier run is behind every number of this one, so that who follows misses nothing.
func TestEventsWithoutAFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last uint64
		for range 3 {
			s, end := open(t, "")
			for range 5 {
				s.Events.Add(Event{Model: "m"})
			}
			list := numbers(await(t, s.Events, last, 5))
			require.Greater(t, list[0], last)
			last = list[4]
			end()
			time.Sleep(10 * time.Millisecond)
		}
	})
}

func TestEventsAreToldOnceTheyAreOnDisk(t *testing.T) {
	path := t.TempDir()
	s, err := Open(path, zap.NewNop())
	require.NoError(t, err)
	s.Events.Add(Event{Model: "m"})
	early, news := s.Events.After(0)
	require.Empty(t, early)
	running(t, s)
	<-news
	told, _ := s.Events.After(0)
	require.Len(t, told, 1)
	text, err := os.ReadFile(filepath.Join(path, currentName))
	require.NoError(t, err)
	var onDisk Event
	require.NoError(t, json.Unmarshal(text, &onDisk))
	require.Equal(t, told[0], onDisk)
}

func TestEventsAreBounded(t *testing.T) {
	s, _ := open(t, "")
	const extra = 12_345
	for i := range Keep + extra {
		s.Events.Add(Event{Attempt: i})
	}
	last := s.Events.last
	await(t, s.Events, last-1, 1)
	all, _ := s.Events.After(0)
	require.Len(t, all, Keep)
	require.Equal(t, extra, all[0].Attempt)
	require.LessOrEqual(t, len(s.Events.kept), 2*Keep)
	for _, after := range []uint64{last, last + 1, 1<<64 - 1} {
		none, _ := s.Events.After(after)
		require.Empty(t, none)
	}
}

func TestLongMessageIsCut(t *testing.T) {
	s, _ := open(t, t.TempDir())
	s.Events.Add(Event{Message: strings.Repeat("ä", maxMessage)})
	s.Events.Add(Event{Message: "x" + strings.Repeat("ä", maxMessage)})
	for _, e := range await(t, s.Events, 0, 2) {
		require.LessOrEqual(t, len(e.Message), maxMessage)
		require.Greater(t, len(e.Message), maxMessage-3)
		require.NotContains(t, e.Message, "\uFFFD")
	}
}

// TestDiskThatFailsAndRecovers puts something in the way of the file that is to become the older one, so that no new one can be begun.
func TestDiskThatFailsAndRecovers(t *testing.T) {
	core, logged := observer.New(zapcore.InfoLevel)
	path := t.TempDir()
	obstacle := filepath.Join(path, olderName)
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(path, zap.New(core))
		require.NoError(t, err)
		s.Events.file.max = 1 // each write wants a new file
		end := running(t, s)
		s.Events.Add(Event{Attempt: 1})
		await(t, s.Events, 0, 1)

		require.NoError(t, os.MkdirAll(filepath.Join(obstacle, "not empty"), 0o700))
		for i := range 20 { // told all the same
			s.Events.Add(Event{Attempt: 2 + i})
			await(t, s.Events, 0, 2+i)
		}
		require.EqualValues(t, 1, s.Events.Failures(), "each event is not an attempt of its own")
		time.Sleep(retry + time.Second)
		require.EqualValues(t, 2, s.Events.Failures())

		require.NoError(t, os.RemoveAll(obstacle))
		time.Sleep(retry + time.Second)
		synctest.Wait()
		before, _ := s.Events.After(0)
		end()
		s, err = Open(path, zap.New(core))
		require.NoError(t, err)
		defer s.Close()
		after, _ := s.Events.After(0)
		require.Equal(t, before, after)
		require.Len(t, after, 21)
	})
	var messages []string
	for _, entry := range logged.All() {
		messages = append(messages, entry.Message)
	}
	require.Equal(t, []string{"events cannot be written; they are kept in memory and tried again", "events can be written again"}, messages)
}

// TestFileThatIsRemoved: what happens after somebody has cleared the folder is on disk all the same.
func TestFileThatIsRemoved(t *testing.T) {
	path := t.TempDir()
	s, end := open(t, path)
	s.Events.Add(Event{Attempt: 1})
	await(t, s.Events, 0, 1)
	require.NoError(t, os.Remove(filepath.Join(path, currentName)))
	for i := range 2 {
		s.Events.Add(Event{Attempt: 2 + i})
	}
	want := await(t, s.Events, 0, 3)[1:]
	end()
	s, _ = open(t, path)
	got, _ := s.Events.After(0)
	require.Equal(t, want, got)
}

func TestDiskThatFailsUntilTheEnd(t *testing.T) {
	path := t.TempDir()
	s, end := open(t, path)
	require.NoError(t, s.Events.file.f.Close())
	s.Events.Add(Event{})
	await(t, s.Events, 0, 1)
	require.NoError(t, s.Events.file.open()) // so that the end finds nothing else wrong
	end()
	require.EqualValues(t, 1, s.Events.Failures())
	s, err := Open(path, zap.NewNop())
	require.NoError(t, err)
	defer s.Close()
	kept, _ := s.Events.After(0)
	require.Len(t, kept, 1, "the last try is at the end")
}

func TestOpenRefuses(t *testing.T) {
	f := func(name string) {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(path, name), 0o700))
			_, err := Open(path, zap.NewNop())
			require.Error(t, err)
			require.NoError(t, os.Remove(filepath.Join(path, name)))
			_, end := open(t, path) // the lock was given back
			end()
		})
	}
	f(currentName)
	f(olderName)
	f(modelsName)
}

// TestToldWaitsForTheDisk, though not for one that hangs.
func TestToldWaitsForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open("", zap.NewNop())
		require.NoError(t, err)
		s.Events.Told(t.Context()) // there is none
		s.Events.Add(Event{Reason: "One"})
		begin := time.Now()
		s.Events.Told(t.Context()) // nobody writes, as when the disk hangs
		require.Equal(t, patience, time.Since(begin))
		events, _ := s.Events.After(0)
		require.Empty(t, events)

		ctx, end := context.WithCancel(t.Context())
		var writing sync.WaitGroup
		writing.Go(func() {
			time.Sleep(time.Second)
			s.Run(ctx)
		})
		begin = time.Now()
		s.Events.Told(t.Context())
		require.Equal(t, time.Second, time.Since(begin))
		events, _ = s.Events.After(0)
		require.Len(t, events, 1)
		end()
		writing.Wait()
	})
}

// BenchmarkAdd adds events as many units would that change at once, on disk.
func BenchmarkAdd(b *testing.B) {
	s, err := Open(b.TempDir(), zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		s.Run(ctx)
	}()
	defer func() {
		cancel()
		<-over
		_ = s.Close()
	}()
	b.ReportAllocs()
	for i := range b.N {
		s.Events.Add(Event{Model: "m", Instance: "m-" + strconv.Itoa(i%500), From: fleet.Starting, Phase: fleet.Ready, Attempt: i})
	}
}

// BenchmarkOpen takes up 10,000 events, and tells what it takes to keep them.
func BenchmarkOpen(b *testing.B) {
	path := b.TempDir()
	s, err := Open(path, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	for i := range Keep {
		s.Events.Add(Event{Model: "qwen3-0.6b", Instance: "qwen3-0.6b-0", From: fleet.Ready, Phase: fleet.Backoff, Reason: "Exited",
			Message: "the server was ended by signal \"killed\"; starting again in 900ms", Attempt: i, Exit: &Exit{137, "killed"}})
	}
	if err := errors.Join(s.Events.write(s.Events.after(0)), s.Close()); err != nil {
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		if s, err = Open(path, zap.NewNop()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if kept, _ := s.Events.After(0); len(kept) != Keep {
			b.Fatalf("%d events", len(kept))
		}
		_ = s.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
}
