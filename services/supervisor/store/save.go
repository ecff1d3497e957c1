package store

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/atomicfile"
)

func (m *Models) read() error {
	text, err := os.ReadFile(m.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var content struct{ Models map[string]Model }
	if err := json.Unmarshal(text, &content); err != nil {
		aside := m.path + ".damaged"
		m.log.Error("what is known of the models cannot be read: all begin as the models file says", zap.String("moved_to", aside), zap.Error(err))
		return os.Rename(m.path, aside)
	}
	if content.Models != nil {
		m.known = content.Models
	}
	return nil
}

// Saved returns once every change so far is on disk or could not be written, or it took too long, or ctx ends. It needs Run.
func (m *Models) Saved(ctx context.Context) {
	m.mu.Lock()
	want := m.changes
	m.mu.Unlock()
	waitUntil(ctx, &m.mu, &m.news, func() bool { return m.tried >= want })
}

// Failures counts the writes that failed.
func (m *Models) Failures() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failures
}

// Run writes what has changed until ctx ends, and then the rest.
func (m *Models) Run(ctx context.Context) {
	var again <-chan time.Time // set while writing fails
	for over := false; !over; {
		select {
		case <-m.wake:
		case <-again:
		case <-ctx.Done():
			over = true
			select {
			case <-m.wake:
			default:
				if again == nil { // all is written
					return
				}
			}
		}
		err := m.write()
		switch failing := again != nil; {
		case err != nil && !failing:
			m.log.Error("what people said of the models cannot be written; it would be forgotten in a restart", zap.Duration("tried_every", retry), zap.Error(err))
		case err == nil && failing:
			m.log.Info("what people said of the models can be written again")
		}
		if again = nil; err != nil {
			again = time.After(retry)
		}
	}
}

func (m *Models) write() error {
	m.mu.Lock()
	changes := m.changes
	text, err := json.MarshalIndent(map[string]any{"models": m.known}, "", "  ")
	m.mu.Unlock()
	if err == nil && m.folder != nil {
		if err = m.folder.Ours(); err == nil {
			err = atomicfile.Write(m.path, append(text, '\n'))
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.failures++
	}
	m.tried = changes
	close(m.news)
	m.news = make(chan struct{})
	return err
}
