package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
)

// lookInterval is how often the processes of all servers are looked up. Servers start most of their workers in their first minute.
const lookInterval = 5 * time.Second

// Ledger is safe for concurrent use.
type Ledger struct {
	path string
	log  *zap.Logger
	left map[string]Entry // by a predecessor

	mu      sync.Mutex
	servers map[string]Entry // by name
	dirty   bool             // the file says something else
}

// file is what is written.
type file struct {
	Boot    string           `json:"boot"` // see proc.Boot
	Servers map[string]Entry `json:"servers"`
}

// Open returns a ledger with nothing in it that writes to the file at path, or nowhere when path is "". What a predecessor has
// written there is kept for EndLeft. A file that cannot be read as a ledger is told of and otherwise as good as none.
func Open(path string, log *zap.Logger) *Ledger {
	l := &Ledger{path: path, log: log, servers: map[string]Entry{}}
	var err error
	if l.left, err = read(path); err != nil {
		log.Error("what an earlier supervisor has left running is not known", zap.Error(err))
	}
	return l
}

func read(path string) (map[string]Entry, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var f file
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if f.Boot == "" || f.Boot != proc.Boot() {
		return nil, nil // all of these processes are gone
	}
	return f.Servers, nil
}

// Enter notes a server that has been started.
func (l *Ledger) Enter(name string, e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.servers[name] = e
	l.dirty = true
	l.write()
}

// Remove forgets a server of which nothing is left.
func (l *Ledger) Remove(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.servers, name)
	l.dirty = true
	l.write()
}

// Look returns the processes of a server, itself first; none when it does not run.
func (l *Ledger) Look(name string) []proc.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.servers[name]
	if !ok {
		return nil
	}
	l.lookAt(name, proc.Read())
	l.write()
	return append([]proc.ID{e.Server}, l.servers[name].Workers...)
}

// Keep looks after the workers of all servers until ctx ends.
func (l *Ledger) Keep(ctx context.Context) {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.look()
		}
	}
}

func (l *Ledger) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.servers) > 0 {
		table := proc.Read()
		for name := range l.servers {
			l.lookAt(name, table)
		}
	}
	l.write()
}

func (l *Ledger) lookAt(name string, table proc.Table) {
	e := l.servers[name]
	l.dirty = e.look(table) || l.dirty
	l.servers[name] = e
}

// write replaces the file. There is no need for the disk to have it: what it is about ends with the machine.
func (l *Ledger) write() {
	if l.path == "" || !l.dirty {
		return
	}
	text, err := json.MarshalIndent(file{Boot: proc.Boot(), Servers: l.servers}, "", "  ")
	if err == nil {
		err = replace(l.path, append(text, '\n'))
	}
	if err != nil { // the next look tries again
		l.log.Error("a kill of supervisor and guards would now leave model servers behind for good", zap.Error(err))
		return
	}
	l.dirty = false
}

// replace writes a file that others see as before or as after.
func replace(path string, text []byte) error {
	next := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".next")
	if err := os.WriteFile(next, text, 0o600); err != nil {
		_ = os.Remove(next) // half a file takes up what little room there is
		return fmt.Errorf("write ledger: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	return nil
}
