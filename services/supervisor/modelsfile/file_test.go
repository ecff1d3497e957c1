package modelsfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fleet runs nothing, and has a mark for each plan that it is to run by.
type fleet struct {
	applied int
	ends    bool
}

func (f *fleet) Compare(inForce, plan *manifest.File) change.Set {
	return change.Between(inForce, plan)
}

func (f *fleet) Apply(inForce, plan *manifest.File, _ *source.Source) (change.Set, error) {
	if f.ends {
		return change.Set{}, ErrNotRunning
	}
	f.applied++
	return f.Compare(inForce, plan), nil
}

// rig is a file on disk that is in force.
type rig struct {
	*File
	t       *testing.T
	fleet   fleet
	path    string
	refused int
	told    []error
}

const first = `{"llmModels": {"a": {"command": "mockvllm", "args": ["--port", "1"]}}}`

func newRig(t *testing.T, remote bool) *rig {
	t.Helper()
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "models.json")}
	r.write(first)
	plan, err := read.Load(r.path, nil)
	require.NoError(t, err)
	r.File = New(Config{Fleet: &r.fleet, Remote: remote, Log: zap.NewNop(), Refused: func() { r.refused++ },
		Env: func(name string) (string, bool) { return "of " + name, name == "KEY" },
		Prepare: func(plan *manifest.File) (*manifest.File, error) {
			if len(plan.Models) > 1 {
				return nil, errors.New("too many models")
			}
			return plan, nil
		},
		Told: func(_ *manifest.File, _ change.Set, err error) { r.told = append(r.told, err) }}, plan)
	return r
}

func (r *rig) write(text string) {
	r.t.Helper()
	require.NoError(r.t, os.WriteFile(r.path, []byte(text), 0o600))
}

// limit is the one of the model that is in force.
func (r *rig) limit() (limit int) {
	r.Hold(func(inForce *manifest.File) { limit = inForce.Models[0].Limits.Inflight })
	return limit
}

// to makes another text of what is in force.
func to(text string) func(_, _ *source.Source) (*source.Source, error) {
	return func(_, _ *source.Source) (*source.Source, error) { return source.Read("models.json", []byte(text)) }
}

func limited(limit string) string {
	return `{"llmModels": {"a": {"command": "mockvllm", "args": ["--port", "1"], "limits": {"inflight": ` + limit + `}}}}`
}

func TestLoad(t *testing.T) {
	r := newRig(t, false)
	before := r.Status().Loaded
	r.write(limited("5"))
	set, err := r.Preview()
	require.NoError(t, err)
	require.Len(t, set.Models, 1)
	require.Zero(t, r.limit())
	_, err = r.load(true)
	require.NoError(t, err)
	require.Equal(t, 5, r.limit())
	require.False(t, r.Status().Loaded.Before(before))
	_, err = r.load(true) // nothing is new
	require.NoError(t, err)
	require.Equal(t, 1, r.fleet.applied)
	_, err = r.Load() // somebody wants it
	require.NoError(t, err)
	require.Equal(t, 2, r.fleet.applied)
	require.Equal(t, []error{nil, nil}, r.told)
}

// What ${NAME} stands for is asked of Env, however a text comes.
func TestEnv(t *testing.T) {
	keyed := func(key string) string {
		return `{"llmModels": {"a": {"command": "mockvllm", "args": ["--port", "1"], "api_key": "` + key + `"}}}`
	}
	for name, put := range map[string]func(r *rig, text string) error{
		"file": func(r *rig, text string) error { r.write(text); _, err := r.Load(); return err },
		"edit": func(r *rig, text string) error { _, err := r.Edit(to(text), false); return err },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, true)
			require.NoError(t, put(r, keyed("${KEY}")))
			r.Hold(func(inForce *manifest.File) { require.Equal(t, "of KEY", inForce.Models[0].APIKey.Reveal()) })
			require.ErrorContains(t, put(r, keyed("${OTHER}")), "${OTHER} is not set")
		})
	}
}

func TestFaultyFileChangesNothing(t *testing.T) {
	r := newRig(t, false)
	for _, text := range []string{`{"llmModels": {"a": {}}}`, `{"llmModels": {"a": {"endpoints": {"base_url": "http://h"}}, "b": {"endpoints": {"base_url": "http://i"}}}}`} {
		r.write(text)
		_, err := r.Load()
		require.Error(t, err)
		require.Equal(t, err.Error(), r.Status().Fault)
		_, err = r.Preview()
		require.Error(t, err)
	}
	require.Equal(t, 2, r.refused)
	require.Len(t, r.told, 2)
	require.Error(t, r.told[0])
	require.Zero(t, r.fleet.applied)
	r.write(first) // it is as it was when last in force, but a fault was told of since
	_, err := r.load(true)
	require.NoError(t, err)
	require.Empty(t, r.Status().Fault)
	require.Equal(t, 1, r.fleet.applied)
}

func TestEdit(t *testing.T) {
	r := newRig(t, false)
	_, err := r.Edit(to(limited("7")), true)
	require.NoError(t, err)
	require.Zero(t, r.limit())
	loaded := r.Status().Loaded
	_, err = r.Edit(to(limited("7")), false)
	require.NoError(t, err)
	require.Equal(t, 7, r.limit())
	require.Equal(t, loaded, r.Status().Loaded, "the file says something else")

	_, err = r.Edit(to(`{"llmModels": {"a": {"command": "rm", "args": ["--port", "1"], "endpoints": {"base_url": "http://h:1"}}}}`), false)
	var forbidden *Forbidden
	require.ErrorAs(t, err, &forbidden)
	require.Contains(t, err.Error(), "command")
	_, err = r.Edit(to(limited("-1")), false)
	require.ErrorContains(t, err, "llmModels.a.limits.inflight")
	why := errors.New("no such model")
	_, err = r.Edit(func(_, _ *source.Source) (*source.Source, error) { return nil, why }, false)
	require.ErrorIs(t, err, why)
	require.Equal(t, 7, r.limit())

	r.fleet.ends = true
	_, err = r.Edit(to(limited("8")), false)
	require.ErrorIs(t, err, ErrNotRunning)
	require.Equal(t, 7, r.limit())
}

// TestOwnTextIsTheOperators: what stands in the file may come over HTTP whatever it says, and is what the file declares from then on.
func TestOwnTextIsTheOperators(t *testing.T) {
	r := newRig(t, false)
	text := `{"llmModels": {"a": {"command": "mockvllm", "args": ["--port", "2"]}}}`
	r.write(text)
	_, err := r.Edit(to(text), false)
	require.NoError(t, err)
	require.True(t, r.declared.Says([]byte(text)))

	r = newRig(t, true)
	_, err = r.Edit(to(text), false)
	require.NoError(t, err, "remote commands are allowed")
}

// TestWatchAfterAnEdit: the file is put in force again after its next version came over HTTP, also when nobody looked at it in between.
func TestWatchAfterAnEdit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false)
		ctx, cancel := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() { r.Watch(ctx) })
		pass := func() { time.Sleep(5 * time.Second); synctest.Wait() }
		pass()
		r.write(limited("5"))
		_, err := r.Edit(to(limited("5")), false)
		require.NoError(t, err)
		r.write(first)
		require.NoError(t, os.Chtimes(r.path, time.Time{}, time.Unix(1, 0))) // a moment later, whatever clock the disk has
		pass()
		require.Zero(t, r.limit())
		cancel()
		watching.Wait()
	})
}

func TestFileThatCannotBeReadAgain(t *testing.T) {
	plan, err := read.Parse("models.json", []byte(first), nil)
	require.NoError(t, err)
	f := New(Config{Log: zap.NewNop(), Refused: func() {}, Told: func(*manifest.File, change.Set, error) {}}, plan)
	f.Watch(t.Context()) // returns
	_, err = f.Load()
	require.ErrorContains(t, err, "could be read again")
}
