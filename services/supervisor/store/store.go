package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Store is all that is kept.
type Store struct {
	Events *Events
	Models *Models
	folder *Folder // nil: nothing is kept on disk
	log    *zap.Logger
}

// Open takes up what is in the folder at path, which belongs to this process from then on, until Close. Without a path nothing is kept
// on disk.
func Open(path string, log *zap.Logger) (*Store, error) {
	s := &Store{log: log}
	var err error
	if path != "" {
		if s.folder, err = openFolder(path); err != nil {
			return nil, err
		}
	}
	if s.Events, err = newEvents(s.folder, log); err == nil {
		s.Models, err = newModels(s.folder, log)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Run writes what is added and changed until ctx ends, and then the rest.
func (s *Store) Run(ctx context.Context) {
	var writers sync.WaitGroup
	writers.Go(func() { s.Events.Run(ctx) })
	writers.Go(func() { s.Models.Run(ctx) })
	if s.folder != nil {
		writers.Go(func() { s.guard(ctx) })
	}
	writers.Wait()
}

// guard makes the folder anew when somebody has removed it, so that no other supervisor takes it. Where one has done so already, nothing
// is written until it has ended: two would mix up what each of them knows.
func (s *Store) guard(ctx context.Context) {
	tick := time.NewTicker(retry)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.folder.Ours() == nil {
			continue
		}
		if err := s.folder.Retake(); err != nil {
			if said != err.Error() {
				s.log.Error("the state folder was removed, and nothing is kept on disk", zap.Duration("tried_every", retry), zap.Error(err))
			}
			said = err.Error()
			continue
		}
		said = ""
		s.log.Warn("the state folder was removed, and is made anew; events of before are in memory alone", zap.String("path", s.folder.path))
		s.Models.rewrite()
	}
}

// Close gives the folder back.
func (s *Store) Close() error {
	var err error
	if s.Events != nil {
		err = s.Events.close()
	}
	if s.folder != nil {
		err = errors.Join(err, s.folder.Close())
	}
	return err
}
