package supervisor

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/reload"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/report"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
)

// file is the models file while the supervisor runs.
type file struct {
	path     string       // "" when it cannot be read again
	mu       sync.Mutex   // one change at a time
	plan     *spec.File   // in force; what was said over HTTP is in it
	declared *spec.Source // the file as it was last in force
	loaded   time.Time    // when that was
	fault    string       // of the file as it is now, "" when it is in force
}

// Reload reads the models file again and brings what runs in line with it, also where something else was said over HTTP. A file
// with a fault changes nothing.
func (s *Supervisor) Reload() error {
	_, err := s.load(false)
	return err
}

// watchFile applies the file whenever its text changes, until ctx ends.
func (s *Supervisor) watchFile(ctx context.Context) {
	if s.file.path == "" || !s.cfg.WatchModels || !s.crew.Opened(ctx) {
		return
	}
	load := func() error {
		_, _ = s.load(true) // it tells of its faults itself
		return nil
	}
	watcher, err := reload.New(load, s.file.path)
	if err == nil {
		watcher.Run(ctx, reload.Every, func(error) {})
	}
}

// load reads the file at its path and puts it in force. With news it does nothing when the file is as it was when last in force.
func (s *Supervisor) load(news bool) (change.Set, error) {
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	plan, err := s.read()
	if err == nil && news && s.file.fault == "" && plan.Source.Same(s.file.declared) {
		return change.Set{}, nil
	}
	if err != nil {
		s.refuse(err)
		return change.Set{}, err
	}
	return s.force(plan, plan.Source, "models file applied")
}

// read makes the plan of the file as it is now.
func (s *Supervisor) read() (*spec.File, error) {
	if s.file.path == "" {
		return nil, errors.New("the models were not read from a file that could be read again")
	}
	plan, err := spec.Load(s.file.path)
	if err != nil {
		return nil, err
	}
	return s.ready(plan)
}

// refuse tells that the file is not put in force. The file is locked.
func (s *Supervisor) refuse(err error) {
	s.file.fault = err.Error()
	s.metrics.refused.Inc()
	s.log.Error("models file refused; the models before stay in force", zap.Error(err))
	s.tell(change.Set{}, err)
}

func (s *Supervisor) tell(set change.Set, err error) {
	if s.told != nil {
		s.told(s.file.plan, set, err)
	}
}

// ready makes of a plan what can be run, or says why it cannot.
func (s *Supervisor) ready(plan *spec.File) (*spec.File, error) {
	if s.prepare != nil {
		var err error
		if plan, err = s.prepare(plan); err != nil {
			return nil, err
		}
	}
	return plan, runnable(plan)
}

// edit puts a source in force that came over HTTP, or with dry only tells what would change. What it says holds until the file is
// read again.
func (s *Supervisor) edit(make rewrite, dry bool) (change.Set, error) {
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	current := s.file.plan
	source, err := make(current.Source, s.file.declared)
	if err != nil {
		return change.Set{}, err
	}
	own := source.Says(s.ownText())
	if !own && !s.cfg.AllowRemoteCommands {
		if forbidden := change.Forbidden(current.Source, s.file.declared, source); forbidden != nil {
			return change.Set{}, tooFar(forbidden)
		}
	}
	plan, err := source.Plan(os.LookupEnv)
	if err == nil {
		plan, err = s.ready(plan)
	}
	if err != nil {
		return change.Set{}, invalid(err)
	}
	if dry {
		return change.Between(s.present(plan), plan), nil
	}
	declared := s.file.declared
	if own {
		declared = source
	}
	return s.force(plan, declared, "models changed over HTTP")
}

// force puts a plan in force. The file is locked.
func (s *Supervisor) force(plan *spec.File, declared *spec.Source, what string) (change.Set, error) {
	set, err := s.apply(plan, declared)
	if err != nil {
		return change.Set{}, err
	}
	if declared == plan.Source {
		s.file.declared, s.file.loaded, s.file.fault = declared, time.Now(), ""
	}
	s.log.Info(what, zap.String("path", s.file.path), zap.Int("changed", len(set.Models)))
	s.tell(set, nil)
	return set, nil
}

// ownText is what stands in the models file now: it is the operator's, whoever sends it.
func (s *Supervisor) ownText() []byte {
	text, err := os.ReadFile(s.file.path)
	if err != nil {
		return nil
	}
	return text
}

// preview tells what reading the file again would change.
func (s *Supervisor) preview() (change.Set, error) {
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	plan, err := s.read()
	if err != nil {
		return change.Set{}, err
	}
	return change.Between(s.present(plan), plan), nil
}

// fileStatus describes the file, but for the models that differ from it.
func (s *Supervisor) fileStatus() report.File {
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	return report.File{Path: s.file.path, Loaded: s.file.loaded, Fault: s.file.fault, Overridden: []string{}}
}
