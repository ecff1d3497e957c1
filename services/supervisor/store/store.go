package store

import (
	"context"
	"errors"
	"sync"

	"go.uber.org/zap"
)

// Store is all that is kept.
type Store struct {
	Events *Events
	Models *Models
	folder *Folder // nil: nothing is kept on disk
}

// Open takes up what is in the folder at path, which belongs to this process from then on, until Close. Without a path nothing is kept
// on disk.
func Open(path string, log *zap.Logger) (*Store, error) {
	s := &Store{}
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
	writers.Wait()
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
