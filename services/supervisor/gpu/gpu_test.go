package gpu

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// machine is one whose nvidia-smi prints what a test says.
type machine struct {
	t    *testing.T
	file string
	gpus *GPUs
	log  *observer.ObservedLogs

	mu   sync.Mutex
	said []string // what was waited for
}

func newMachine(t *testing.T, table string) *machine {
	t.Helper()
	folder := t.TempDir()
	core, log := observer.New(zap.WarnLevel)
	m := &machine{t: t, file: filepath.Join(folder, "table"), gpus: New(zap.New(core)), log: log}
	m.set(table)
	script := "#!/bin/sh\n" + `[ "$*" = "--query-gpu=index,uuid,memory.total,memory.free --format=csv,noheader,nounits" ] || exit 6` + "\ncat " + m.file + "\n"
	if err := os.WriteFile(filepath.Join(folder, "nvidia-smi"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":/usr/bin:/bin")
	return m
}

func (m *machine) set(table string) {
	m.t.Helper()
	if err := os.WriteFile(m.file, []byte(table), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) waiting(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, what)
}

// start asks for a start beside the test, and gives release once it may begin.
func (m *machine) start(ctx context.Context, share float64, devices ...string) <-chan func() {
	m.t.Helper()
	admitted := make(chan func(), 1)
	go func() {
		release, err := m.gpus.Admit(ctx, share, devices, m.waiting)
		if err != nil && !errors.Is(err, context.Canceled) {
			m.t.Error(err)
		}
		admitted <- release
	}()
	return admitted
}

func begun(admitted <-chan func()) bool { return len(admitted) > 0 }

// pass lets time pass. The programs that run meanwhile take no time in a bubble, so it passes in steps of a look each.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestLacks(t *testing.T) {
	m := newMachine(t, "0, GPU-a, 24576, 1024\n1, GPU-b, 24576, 24000\n")
	f := func(want string, share float64, devices ...string) {
		t.Helper()
		if got := m.gpus.Lacks(t.Context(), share, devices); got != want {
			t.Errorf("%v of %v lacks %q, want %q", share, devices, got, want)
		}
	}
	f("GPU 0 has 1.0 GiB free of the 12.0 that the model takes", 0.5, "0", "1")
	f("", 0.5, "1")
	f("", 0.5, "2") // nobody knows
	t.Setenv("PATH", t.TempDir())
	f("", 0.5, "0")
}

func TestStartWaitsForItsMemory(t *testing.T) {
	m := newMachine(t, "0, GPU-a, 24576, 1024\n1, GPU-b, 24576, 24000\n")
	synctest.Test(t, func(t *testing.T) {
		a := m.start(t.Context(), 0.5, "0")
		pass(time.Minute)
		if begun(a) {
			t.Fatal("a server started without its memory")
		}
		m.set("0, GPU-a, 24576, 12287\n1, GPU-b, 24576, 24000\n")
		pass(10 * time.Second)
		if begun(a) {
			t.Fatal("a server started with a little less than its memory")
		}
		m.set("0, GPU-a, 24576, 12288\n1, GPU-b, 24576, 24000\n")
		(<-a)()
	})
	want := []string{"GPU 0 has 1.0 GiB free of the 12.0 that the model takes", "GPU 0 has 12.0 GiB free of the 12.0 that the model takes", "memory of the GPU is being given back"}
	if diff := cmp.Diff(want, m.said); diff != "" {
		t.Errorf("-want +said:\n%s", diff)
	}
}

func TestFreed(t *testing.T) {
	m := newMachine(t, "0, GPU-a, 24576, 1024\n1, GPU-b, 24576, 24000\n")
	freed := func(ctx context.Context, device string) <-chan string {
		lack := make(chan string, 1)
		go func() { lack <- m.gpus.Freed(ctx, 0.5, []string{device}) }()
		return lack
	}
	const lacks = "GPU 0 has 1.0 GiB free of the 12.0 that the model takes"
	synctest.Test(t, func(t *testing.T) {
		if lack := <-freed(t.Context(), "1"); lack != "" {
			t.Errorf("what is free lacks %q", lack)
		}
		if lack := <-freed(t.Context(), "7"); lack != "" {
			t.Errorf("a GPU that nobody knows lacks %q", lack)
		}
		late := freed(t.Context(), "0")
		time.Sleep(5 * time.Second)
		if len(late) > 0 {
			t.Error("nobody waited")
		}
		m.set("0, GPU-a, 24576, 20000\n")
		if lack := <-late; lack != "" {
			t.Errorf("what is free by now lacks %q", lack)
		}
		m.set("0, GPU-a, 24576, 1024\n")
		if lack := <-freed(t.Context(), "0"); lack != lacks {
			t.Errorf("after all the patience it lacks %q", lack)
		}
		ctx, leave := context.WithCancel(t.Context())
		left := freed(ctx, "0")
		time.Sleep(poll + poll/2)
		leave()
		<-left
	})
}

// TestStartWaitsWhileMemoryIsGivenBack has enough for the server, and more with each look.
func TestStartWaitsWhileMemoryIsGivenBack(t *testing.T) {
	m := newMachine(t, "0, GPU-a, 24576, 13000\n")
	synctest.Test(t, func(t *testing.T) {
		a := m.start(t.Context(), 0.5, "0")
		synctest.Wait() // not for the program that it runs
		time.Sleep(poll / 2)
		for _, free := range []string{"14000", "15000", "24000"} {
			m.set("0, GPU-a, 24576, " + free + "\n")
			pass(poll)
			if begun(a) {
				t.Fatal("a server started while memory was given back")
			}
		}
		(<-a)()
	})
}

func TestStartsOnAGPUComeOneAfterAnother(t *testing.T) {
	m := newMachine(t, "0, GPU-aa, 24576, 24000\n1, GPU-ab, 24576, 24000\n")
	synctest.Test(t, func(t *testing.T) {
		first := <-m.start(t.Context(), 0.3, "GPU-aa", "1")
		second, other := m.start(t.Context(), 0.3, "1", "0"), m.start(t.Context(), 0.3, "MIG-x")
		(<-other)() // nothing is known of it
		ctx, leave := context.WithCancel(t.Context())
		third := m.start(ctx, 0.3, "1")
		pass(time.Hour)
		if begun(second) || begun(third) {
			t.Fatal("two servers start on one GPU")
		}
		leave()
		if release := <-third; release != nil {
			t.Error("somebody who has left may start")
		}
		first()
		first() // a second time changes nothing
		release := <-second
		fourth := m.start(t.Context(), 0.3, "0")
		pass(time.Minute)
		if begun(fourth) {
			t.Error("two servers start on one GPU")
		}
		release()
		(<-fourth)()
	})
}

// TestMemoryThatNeverComes is for vLLM to judge in the end.
func TestMemoryThatNeverComes(t *testing.T) {
	m := newMachine(t, "0, GPU-a, 24576, 1024\n")
	synctest.Test(t, func(t *testing.T) {
		(<-m.start(t.Context(), 0.5, "0"))()
		ctx, leave := context.WithCancel(t.Context())
		a := m.start(ctx, 0.5, "0")
		pass(time.Minute)
		leave()
		if release := <-a; release != nil {
			t.Error("somebody who has left may start")
		}
	})
	if m.log.FilterMessageSnippet("memory of its GPU is lacking").Len() != 1 {
		t.Errorf("log: %v", m.log.All())
	}
}

func TestMachinesOfWhichNothingIsKnown(t *testing.T) {
	f := func(name, table string, change func(m *machine), warnings int) {
		m := newMachine(t, table)
		change(m)
		release, err := m.gpus.Admit(t.Context(), 0.9, []string{"0"}, m.waiting)
		if err != nil || len(m.said) != 0 || m.log.Len() != warnings {
			t.Errorf("%s: %v, waited for %v, log %v", name, err, m.said, m.log.All())
			return
		}
		release()
	}
	f("no nvidia-smi", "", func(*machine) { t.Setenv("PATH", t.TempDir()) }, 0)
	f("no GPU", "No devices were found\n", func(*machine) {}, 0)
	f("memory shared with the machine", "0, GPU-a, [N/A], [N/A]\n", func(*machine) {}, 0)
	f("another GPU", "1, GPU-a, 24576, 0\n", func(*machine) {}, 0)
	f("no driver", "", func(m *machine) { _ = os.Remove(m.file) }, 1)
}

func FuzzParse(f *testing.F) {
	for _, table := range []string{"0, GPU-4f1c, 24564, 24012\n1, GPU-77aa, 24564, 3\n", "0, GPU-a, [N/A], [N/A]", "No devices were found", "0,,1,1", "0, GPU-a, 1e400, nan\n", ",,,\n"} {
		f.Add(table)
	}
	f.Fuzz(func(t *testing.T, table string) {
		for _, d := range parse(table) {
			if found, ok := among(parse(table), d.index); !ok || !(found.total > 0) || !(found.free >= 0) || strings.TrimSpace(d.uuid) == "" {
				t.Errorf("%q gives %+v", table, d)
			}
		}
	})
}
