package reload_test

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

	"github.com/fluidmcp/fluidmcp/internal/reload"
)

// rig watches files whose contents, joined, are the value in force. A text with "broken" in it cannot be loaded.
type rig struct {
	*reload.Watcher

	mu sync.Mutex
	outcome
}

type outcome struct {
	inForce string
	loads   int
	reports []string // the errors, "" for none
}

func (r *rig) get() outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outcome
}

var errBroken = errors.New("broken")

// watch runs for the time of the bubble.
func watch(t *testing.T, paths ...string) *rig {
	t.Helper()
	r := &rig{}
	w, err := reload.New(func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.loads++
		all := ""
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all += string(text)
		}
		if strings.Contains(all, "broken") {
			return errBroken
		}
		r.inForce = all
		return nil
	}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	r.Watcher = w
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		r.Run(ctx, time.Second, func(err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if err != nil {
				r.reports = append(r.reports, err.Error())
				return
			}
			r.reports = append(r.reports, "")
		})
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	synctest.Wait()
	return r
}

// pass lets so many looks happen.
func pass(looks int) {
	time.Sleep(time.Duration(looks) * time.Second)
	synctest.Wait()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// However a file is replaced, the new contents come into force, and once.
func TestChanges(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path string){
		"written": func(t *testing.T, path string) { write(t, path, "new") },
		"renamed over": func(t *testing.T, path string) {
			write(t, path+".tmp", "new")
			must(t, os.Rename(path+".tmp", path))
		},
		"same size and time": func(t *testing.T, path string) {
			info, err := os.Stat(path)
			must(t, err)
			write(t, path, "new")
			must(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
		},
		"gone for a moment": func(t *testing.T, path string) {
			must(t, os.Remove(path))
			pass(1)
			write(t, path, "new")
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			write(t, path, "old")
			synctest.Test(t, func(t *testing.T) {
				r := watch(t, path)
				pass(5)
				if got := r.get(); got.loads != 1 {
					t.Errorf("loaded %d times although nothing changed", got.loads)
				}
				change(t, path)
				pass(10)
				if got := r.get(); got.inForce != "new" || got.loads != 2 || len(got.reports) != 1 || got.reports[0] != "" {
					t.Errorf("in force %q after %d loads, reports %q", got.inForce, got.loads, got.reports)
				}
			})
		})
	}
}

// What is written once more is loaded once more: something else may have come into force meanwhile.
func TestWrittenOnceMore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "same")
	synctest.Test(t, func(t *testing.T) {
		r := watch(t, path)
		pass(5)
		write(t, path, "same")
		must(t, os.Chtimes(path, time.Time{}, time.Unix(1, 0)))
		pass(5)
		if got := r.get(); got.loads != 2 {
			t.Errorf("loaded %d times", got.loads)
		}
	})
}

// As the kubelet does it: the file is a link to ..data/file, ..data a link to a folder, and that link is renamed over.
func TestKubernetes(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"..1", "..2"} {
		must(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		write(t, filepath.Join(dir, version, "file"), "version "+version)
	}
	path := filepath.Join(dir, "file")
	must(t, os.Symlink("..1", filepath.Join(dir, "..data")))
	must(t, os.Symlink("..data/file", path))
	synctest.Test(t, func(t *testing.T) {
		r := watch(t, path)
		must(t, os.Symlink("..2", filepath.Join(dir, "..data_tmp")))
		must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
		must(t, os.RemoveAll(filepath.Join(dir, "..1")))
		pass(3)
		if got := r.get(); got.inForce != "version ..2" {
			t.Errorf("in force is %q", got.inForce)
		}
	})
}

// What is broken is reported once and replaces nothing, until it is mended.
func TestBroken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "good")
	synctest.Test(t, func(t *testing.T) {
		r := watch(t, path)
		write(t, path, "broken")
		pass(10)
		if got := r.get(); got.inForce != "good" || len(got.reports) != 1 || got.reports[0] != "broken" {
			t.Errorf("in force %q, reports %q", got.inForce, got.reports)
		}
		must(t, os.Remove(path))
		pass(10)
		if got := r.get(); got.inForce != "good" || len(got.reports) != 2 || !strings.Contains(got.reports[1], "no such file") {
			t.Errorf("in force %q, reports %q", got.inForce, got.reports)
		}
		write(t, path, "good") // as before, but what was loaded last is the file that was missing
		pass(10)
		if got := r.get(); got.inForce != "good" || len(got.reports) != 3 || got.reports[2] != "" {
			t.Errorf("in force %q, reports %q", got.inForce, got.reports)
		}
	})
}

// Files that belong together are loaded when both have come to rest.
func TestHalfOfAChange(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	write(t, cert, "c1")
	write(t, key, "k1")
	synctest.Test(t, func(t *testing.T) {
		r := watch(t, cert, key)
		write(t, cert, "c2")
		pass(1)
		write(t, key, "k2")
		pass(1)
		if got := r.get(); got.loads != 1 {
			t.Errorf("loaded %q between two changes", got.inForce)
		}
		pass(1)
		if got := r.get(); got.inForce != "c2k2" || got.loads != 2 {
			t.Errorf("in force %q after %d loads", got.inForce, got.loads)
		}
	})
}

func TestReloadNow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "old")
	synctest.Test(t, func(t *testing.T) {
		r := watch(t, path)
		write(t, path, "new")
		if err, got := r.Reload(), r.get(); err != nil || got.inForce != "new" {
			t.Errorf("%v, in force %q", err, got.inForce)
		}
		pass(5)
		if got := r.get(); got.loads != 2 {
			t.Errorf("loaded %d times; what was asked for was loaded already", got.loads)
		}
		write(t, path, "broken")
		if err, got := r.Reload(), r.get(); !errors.Is(err, errBroken) || got.inForce != "new" {
			t.Errorf("%v, in force %q", err, got.inForce)
		}
	})
}

func TestBrokenAtFirst(t *testing.T) {
	if _, err := reload.New(func() error { return errBroken }, "nowhere"); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
}
