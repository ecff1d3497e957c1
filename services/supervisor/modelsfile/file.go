package modelsfile

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/reload"
	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
	"github.com/fluidmcp/fluidmcp/services/supervisor/report"
)

// ErrNotRunning is the error of a change before anything runs, or when all of it ends.
var ErrNotRunning = errors.New("the supervisor is only starting, or ends already")

// Fleet is what runs by the file. Its methods are called one at a time.
type Fleet interface {
	// Compare tells what it would change to run by a plan instead of the one that is in force.
	Compare(inForce, plan *manifest.File) change.Set
	// Apply brings what runs in line with a plan and returns what that changes. declared is what the file itself says by
	// then. It is ErrNotRunning when nothing can be changed.
	Apply(inForce, plan *manifest.File, declared *source.Source) (change.Set, error)
}

// Config is what a File works with.
type Config struct {
	Fleet   Fleet
	Env     func(string) (string, bool)                  // looks up what ${NAME} stands for
	Prepare func(*manifest.File) (*manifest.File, error) // makes what can be run of what a file says, or says why it cannot
	Remote  bool                                         // over HTTP it may be changed which programs and servers to use
	Refused func()                                       // told of each version that is not put in force
	Told    func(*manifest.File, change.Set, error)      // hears what is in force with each change, or why the file is refused
	Log     *zap.Logger
}

// File is the models file while the supervisor runs.
type File struct {
	cfg      Config
	path     string         // "" when it cannot be read again
	mu       sync.Mutex     // one change at a time
	plan     *manifest.File // in force; what was said over HTTP is in it
	declared *source.Source // the file as it was last in force
	loaded   time.Time      // when that was
	fault    string         // of the file as it is now, "" when it is in force
}

// New is the file whose plan is in force already.
func New(cfg Config, plan *manifest.File) *File {
	return &File{cfg: cfg, path: plan.Path, plan: plan, declared: plan.Source, loaded: time.Now()}
}

// Watch applies the file whenever its text changes, until ctx ends. A file that cannot be read again does not.
func (f *File) Watch(ctx context.Context) {
	if f.path == "" {
		return
	}
	load := func() error {
		_, _ = f.load(true) // it tells of its faults itself
		return nil
	}
	watcher, err := reload.New(load, f.path)
	if err == nil {
		watcher.Run(ctx, reload.Every, func(error) {})
	}
}

// Load reads the file at its path and puts it in force, also where something else was said over HTTP. A file with a fault changes
// nothing.
func (f *File) Load() (change.Set, error) { return f.load(false) }

// load reads the file at its path and puts it in force. With news it does nothing when the file is as it was when last in force.
func (f *File) load(news bool) (change.Set, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	plan, err := f.read()
	if err == nil && news && f.fault == "" && plan.Source.Same(f.declared) {
		return change.Set{}, nil
	}
	if err != nil {
		f.refuse(err)
		return change.Set{}, err
	}
	return f.force(plan, plan.Source, "models file applied")
}

// read makes the plan of the file as it is now.
func (f *File) read() (*manifest.File, error) {
	if f.path == "" {
		return nil, errors.New("the models were not read from a file that could be read again")
	}
	plan, err := read.Load(f.path, f.cfg.Env)
	if err != nil {
		return nil, err
	}
	return f.cfg.Prepare(plan)
}

// refuse tells that the file is not put in force. The file is locked.
func (f *File) refuse(err error) {
	f.fault = err.Error()
	f.cfg.Refused()
	f.cfg.Log.Error("models file refused; the models before stay in force", zap.Error(err))
	f.cfg.Told(f.plan, change.Set{}, err)
}

// Forbidden is the error of a change over HTTP that only who can write the file may make.
type Forbidden struct{ What []string }

func (f *Forbidden) Error() string {
	return "over HTTP this cannot be changed: " + strings.Join(f.What, ", ")
}

// Edit puts another text in force, or with dry only tells what would change. make has it from the text in force and from that of
// the file; its error is returned as it is. What the text says holds until the file is read again.
func (f *File) Edit(make func(current, declared *source.Source) (*source.Source, error), dry bool) (change.Set, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	current := f.plan
	source, err := make(current.Source, f.declared)
	if err != nil {
		return change.Set{}, err
	}
	own := source.Says(f.ownText())
	if !own && !f.cfg.Remote {
		if forbidden := change.Forbidden(current.Source, f.declared, source); forbidden != nil {
			return change.Set{}, &Forbidden{forbidden}
		}
	}
	plan, err := read.Plan(source, f.cfg.Env)
	if err == nil {
		plan, err = f.cfg.Prepare(plan)
	}
	if err != nil {
		return change.Set{}, err
	}
	if dry {
		return f.cfg.Fleet.Compare(f.plan, plan), nil
	}
	declared := f.declared
	if own {
		declared = source
	}
	return f.force(plan, declared, "models changed over HTTP")
}

// force puts a plan in force. The file is locked.
func (f *File) force(plan *manifest.File, declared *source.Source, what string) (change.Set, error) {
	set, err := f.cfg.Fleet.Apply(f.plan, plan, declared)
	if err != nil {
		return change.Set{}, err
	}
	f.plan = plan
	if declared == plan.Source {
		f.declared, f.loaded, f.fault = declared, time.Now(), ""
	}
	f.cfg.Log.Info(what, zap.String("path", f.path), zap.Int("changed", len(set.Models)))
	f.cfg.Told(f.plan, set, nil)
	return set, nil
}

// ownText is what stands in the models file now: it is the operator's, whoever sends it.
func (f *File) ownText() []byte {
	text, err := os.ReadFile(f.path)
	if err != nil {
		return nil
	}
	return text
}

// Preview tells what reading the file again would change.
func (f *File) Preview() (change.Set, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	plan, err := f.read()
	if err != nil {
		return change.Set{}, err
	}
	return f.cfg.Fleet.Compare(f.plan, plan), nil
}

// Hold calls g with the plan in force, which does not change meanwhile.
func (f *File) Hold(g func(inForce *manifest.File)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	g(f.plan)
}

// Status describes the file, but for the models that differ from it.
func (f *File) Status() report.File {
	f.mu.Lock()
	defer f.mu.Unlock()
	return report.File{Path: f.path, Loaded: f.loaded, Fault: f.fault, Overridden: []string{}}
}
