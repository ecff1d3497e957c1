package docker_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/docker"
	"github.com/fluidmcp/fluidmcp/services/supervisor/engine"
	"github.com/fluidmcp/fluidmcp/services/supervisor/engine/enginetest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// patience bounds what must happen; it only ends a test that fails.
const patience = time.Minute

// output may be written to and read by different goroutines.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// rig is a driver of the container "box", the model "m", in a session that the test ends.
type rig struct {
	*docker.Driver
	t      *testing.T
	engine *enginetest.Engine
	box    *enginetest.Container
	out    *output
}

func newRig(t *testing.T) *rig {
	t.Helper()
	e := enginetest.New(t)
	out := &output{}
	r := &rig{t: t, engine: e, box: e.Add("box", engine.ModelLabel, "m"), out: out,
		Driver: &docker.Driver{Session: docker.Open(e.Socket, zaptest.NewLogger(t)), Name: "box", Model: "m", Output: out}}
	t.Cleanup(r.Session.Close)
	return r
}

func (r *rig) start() runner.Server {
	r.t.Helper()
	s, err := r.Start(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// exit waits for the end of the server, and leaves the time out.
func (r *rig) exit(s runner.Server) unit.Exit {
	r.t.Helper()
	select {
	case x := <-s.Done():
		if x.At.IsZero() {
			r.t.Error("an exit without a time")
		}
		x.At = time.Time{}
		return x
	case <-time.After(patience):
		r.t.Fatal("the server did not end")
		return unit.Exit{}
	}
}

// until polls until the condition holds.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("never: %s", what)
		}
	}
}

// asked waits until the engine was asked something at least n times.
func (r *rig) asked(what string, n int) {
	r.t.Helper()
	r.until(what, func() bool {
		found := 0
		for _, request := range r.engine.Requests() {
			if strings.Contains(request, what) {
				found++
			}
		}
		return found >= n
	})
}

// watched waits until the engine was asked to wait for the end, and then whether it waits for the right one.
func (r *rig) watched() {
	r.t.Helper()
	r.until("it is watched", func() bool {
		last, before := "", ""
		for _, request := range r.engine.Requests() {
			if !strings.Contains(request, "/logs") {
				last, before = request, last
			}
		}
		return strings.Contains(before, "/wait") && strings.HasSuffix(last, "/json")
	})
}

func TestExitsAreReported(t *testing.T) {
	r := newRig(t)
	for want, end := range map[unit.Exit]func(){
		{Code: 0}:                                 func() { r.box.End(0) },
		{Code: 1}:                                 func() { r.box.End(1) },
		{Code: 137, Signal: "killed"}:             func() { r.box.End(137) },
		{Code: 137, Signal: "killed", OOM: true}:  func() { r.box.OOM = true; r.box.End(137) },
		{Code: 139, Signal: "segmentation fault"}: func() { r.box.End(139) },
		{Code: 255}:                               func() { r.box.End(255) },
		{Code: 143, Signal: "terminated"}:         func() { r.box.End(143) },
	} {
		s := r.start()
		if s.PID() != 0 {
			t.Errorf("pid %d", s.PID())
		}
		r.engine.Do(end)
		if got := r.exit(s); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestStopAsksInGoodOrder(t *testing.T) {
	r := newRig(t)
	for _, deaf := range []bool{false, true} {
		r.engine.Do(func() { r.box.Stops, r.box.Deaf = nil, deaf })
		s := r.start()
		s.Stop()
		s.Stop()
		x := r.exit(s)
		r.engine.Do(func() {
			if stops := strings.Join(r.box.Stops, ", "); stops != "stop t=15" || (x.Code == 137) != deaf {
				t.Errorf("asked to %s, exit %+v", stops, x)
			}
		})
		s.Stop() // after the end it has nothing to hit
	}
}

// TestStopDoesNotGiveUp has an engine that fails to stop the container until its grace is over, and then kills it.
func TestStopDoesNotGiveUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Grace = time.Millisecond
	r.engine.Do(func() { r.box.Stuck = true })
	s := r.start()
	s.Stop()
	r.asked("/stop?t=1", 1)
	r.asked("/kill", 1)
	r.engine.Do(func() { r.box.Stuck = false })
	if x := r.exit(s); x.Code != 137 {
		t.Errorf("%+v", x)
	}
}

// TestStopHitsItsOwnRunOnly ends the run while the engine cannot be asked, and starts the next one.
func TestStopHitsItsOwnRunOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.engine.Do(func() { r.box.Stuck = true })
	first := r.start()
	first.Stop()
	r.asked("/stop", 1)
	asked := 0
	r.engine.Do(func() { r.box.Stuck = false; r.box.End(0); asked = len(r.box.Stops) }) // twice by now on a machine that stood still
	r.exit(first)
	second := r.start()
	time.Sleep(1100 * time.Millisecond) // when the next try would come
	r.engine.Do(func() {
		if len(r.box.Stops) != asked || !r.box.Running {
			t.Errorf("asked to %q", r.box.Stops)
		}
		r.box.End(3)
	})
	if x := r.exit(second); x.Code != 3 {
		t.Errorf("%+v", x)
	}
}

// TestRunningContainerIsGoneOnWith adopts one, closes the session, and adopts it again.
func TestRunningContainerIsGoneOnWith(t *testing.T) {
	r := newRig(t)
	if s, err := r.Adopt(t.Context()); s != nil || err != nil {
		t.Errorf("one that does not run: %v, %v", s, err)
	}
	r.engine.Do(func() { r.box.Run(); r.box.Print("before") })
	s, err := r.Adopt(t.Context())
	if s == nil || err != nil {
		t.Fatalf("%v, %v", s, err)
	}
	r.until("its log", func() bool { return r.out.String() == "before\n" })
	r.Session.Close()
	select {
	case x := <-s.Done():
		t.Errorf("the end of the session is taken for its own: %+v", x)
	default:
	}
	var began time.Time
	r.engine.Do(func() {
		if began = r.box.Began; !r.box.Running || len(r.box.Stops) > 0 {
			t.Errorf("it was asked to %q", r.box.Stops)
		}
	})

	next := *r.Driver
	next.Session = docker.Open(r.engine.Socket, zaptest.NewLogger(t))
	defer next.Session.Close()
	if s, err = next.Start(t.Context()); err != nil { // as after an adoption that failed
		t.Fatal(err)
	}
	r.engine.Do(func() {
		if !r.box.Began.Equal(began) {
			t.Error("it was started anew")
		}
		r.box.End(5)
	})
	if x := r.exit(s); x.Code != 5 {
		t.Errorf("%+v", x)
	}
}

func TestLogIsThatOfTheRun(t *testing.T) {
	r := newRig(t)
	first := r.start()
	r.engine.Do(func() { r.box.Print("first"); r.box.End(1) })
	r.exit(first)
	if r.out.String() != "first\n" {
		t.Errorf("at the exit it had %q", r.out)
	}
	var finished time.Time
	r.engine.Do(func() { finished = r.box.Finished })
	second := r.start()
	r.asked("since="+engine.Timestamp(finished), 1)
	r.engine.Do(func() { r.box.End(1) })
	r.exit(second)

	// What an earlier supervisor has heard is not asked for again.
	heard := time.Now().Add(time.Hour)
	r.Heard = func() time.Time { return heard }
	third := r.start()
	r.asked("since="+engine.Timestamp(heard.Add(1)), 1)
	r.engine.Do(func() { r.box.End(1) })
	r.exit(third)
}

func TestLogsOfOtherKinds(t *testing.T) {
	r := newRig(t)
	r.engine.Do(func() { r.box.Tty = true })
	s := r.start()
	r.engine.Do(func() { r.box.Log = []byte("plain\r\n"); r.box.End(0) })
	r.exit(s)
	r.engine.Do(func() { r.box.NoLog = true })
	s = r.start()
	r.engine.Do(func() { r.box.End(0) })
	r.exit(s)
	want := "plain\r\n[fluidmcp] the log of container box cannot be read: configured logging driver does not support reading\n"
	if r.out.String() != want {
		t.Errorf("%q", r.out)
	}
}

// TestEngineThatIsAway goes down while the container runs, and comes back to different ends.
func TestEngineThatIsAway(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(*rig)
		want      unit.Exit
	}{
		"it ended":             {func(r *rig) { r.engine.Do(func() { r.box.OOM = true; r.box.End(9) }) }, unit.Exit{Code: 9, OOM: true}},
		"it was removed":       {func(r *rig) { r.engine.Remove(r.box) }, unit.Exit{Code: unit.Unseen}},
		"it was started anew":  {func(r *rig) { r.engine.Do(func() { r.box.End(1); r.box.Run() }) }, unit.Exit{Code: unit.Unseen}},
		"the engine is a hand": {func(r *rig) { r.engine.Do(func() { r.box.End(1); r.box.Run(); r.box.Restarts = 1 }) }, unit.Exit{Code: unit.Unseen}},
		"it ended a bit later": {func(r *rig) { go func() { r.asked("/wait", 2); r.engine.Do(func() { r.box.End(7) }) }() }, unit.Exit{Code: 7}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := r.start()
			r.watched()
			r.engine.Down()
			c.meanwhile(r)
			r.engine.Up()
			if got := r.exit(s); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			r.engine.Do(func() {
				if r.box.Running && r.box.Restarts > 0 {
					t.Error("what the engine has restarted goes on beside what the supervisor will start")
				}
			})
		})
	}
}

// TestOneHandRestarts takes the restarting from a container's own restart policy, and leaves alone what a person has restarted.
func TestOneHandRestarts(t *testing.T) {
	r := newRig(t)
	for restarts, running := range map[int]bool{0: true, 1: false} {
		s := r.start()
		r.watched()
		r.engine.Do(func() { r.box.End(1); r.box.Run(); r.box.Restarts = restarts })
		if x := r.exit(s); x.Code != 1 {
			t.Errorf("%+v", x)
		}
		r.engine.Do(func() {
			if r.box.Running != running {
				t.Errorf("after %d restarts by the engine it runs: %t", restarts, r.box.Running)
			}
			r.box.End(0)
		})
	}
}

func TestContainersThatAreNotThere(t *testing.T) {
	r := newRig(t)
	f := func(name, model, want string) {
		t.Helper()
		d := *r.Driver
		d.Name, d.Model = name, model
		_, err := d.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s of %s: %v, want %q", name, model, err, want)
		}
		if s, err := d.Adopt(t.Context()); s != nil || err != nil {
			t.Errorf("%s of %s: adopted %v, %v", name, model, s, err)
		}
	}
	r.engine.Add("plain")
	f("none", "m", "no container none, the label com.fluidmcp.model=m is on box; correct container.name")
	f("box", "other", "no container box with the label com.fluidmcp.model=other yet; create it")
	f("plain", "plain", "no container plain with the label com.fluidmcp.model=plain yet")
	r.engine.Down()
	f("box", "m", r.engine.Socket)
	r.engine.Up()
}

// TestAwait waits through an engine that is away and a container that is not created yet.
func TestAwait(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.engine.Remove(r.box)
	r.engine.Down()
	said := make(chan string, 100)
	done := make(chan error, 1)
	go func() { done <- r.Await(context.Background(), func(why string) { said <- why }) }()
	if why := <-said; !strings.Contains(why, "no such file") {
		t.Errorf("%s", why)
	}
	r.engine.Up()
	for why := range said {
		if strings.Contains(why, "no container box") {
			break
		}
	}
	r.engine.Add("box", engine.ModelLabel, "m")
	if err := <-done; err != nil {
		t.Error(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	r.Name = "never"
	if err := r.Await(ended, func(string) {}); err == nil {
		t.Error("it waits on when nobody does")
	}
}
