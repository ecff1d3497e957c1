package reload

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"time"
)

// Every is how often files are looked at where nothing asks for another pace.
const Every = time.Second

// Watcher calls a loader whenever its files changed.
type Watcher struct {
	load  func() error
	paths []string

	mu     sync.Mutex // held while loading: one load at a time
	loaded version    // what the files were when load was last called
}

// version identifies the contents of all files and when they were written.
type version [sha256.Size]byte

// New calls load for the first time. load reads the files by itself, all of them, and puts in force what it read, or returns
// an error and changes nothing. It is never called twice at once.
func New(load func() error, paths ...string) (*Watcher, error) {
	w := &Watcher{load: load, paths: paths}
	if err := w.Reload(); err != nil {
		return nil, err
	}
	return w, nil
}

// Reload calls load now, whether or not the files changed, and returns its error.
func (w *Watcher) Reload() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loaded = w.look() // before loading, so that a change meanwhile is seen by the next look
	return w.load()
}

// Run looks at the files until ctx ends, and loads what changed. report hears the outcome of each load, nil for success.
//
// A change is loaded when two looks in a row found the same: half of a key file that is being written can be valid, and of a
// certificate and its key one is replaced first.
func (w *Watcher) Run(ctx context.Context, every time.Duration, report func(error)) {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	before := w.look()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		now := w.look()
		if now == before && w.isNews(now) {
			report(w.again(now))
		}
		before = now
	}
}

// again loads what has changed. The first load may be of a pipe, which somebody writes to just then; a pipe or a device that took the
// place of a file could hold up the one that reads it for ever.
func (w *Watcher) again(now version) error {
	for _, path := range w.paths {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.loaded = now
			return fmt.Errorf("%s is neither a file nor missing: put a file there", path)
		}
	}
	return w.Reload()
}

func (w *Watcher) isNews(v version) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return v != w.loaded
}

func (w *Watcher) look() (v version) {
	all := sha256.New()
	for _, path := range w.paths {
		one := sha256.New()
		if err := sum(one, path); err != nil {
			fmt.Fprintf(all, "%v\n", err)
			continue
		}
		fmt.Fprintf(all, "%x\n", one.Sum(nil))
	}
	return version(all.Sum(nil))
}

// sum hashes a file. What is none, such as a pipe, can be read only once and is not touched.
func sum(to hash.Hash, path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintf(to, "%d\n", info.ModTime().UnixNano())
	_, err = io.Copy(to, f)
	return err
}
