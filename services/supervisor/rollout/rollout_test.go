package rollout_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

func TestOneAfterTheOther(t *testing.T) {
	inBubble(t, 3, func(r *rig) {
		r.start(r.plan())
		after(draining / 2)
		r.servers[0].phase(fleet.Draining)
		if got := r.expect(rollout.Rolling, 2, 1, 1, 1); got.Message != "waits for m-0, which is draining: requests in flight may finish" {
			t.Errorf("message %q", got.Message)
		}
		after(draining/2 + loading)
		r.servers[1].phase(fleet.Draining)
		r.expect(rollout.Rolling, 2, 2, 1, 1)
		after(2 * (draining + loading))
		got := r.expect(rollout.Done, 2, 2, 2, 2)
		if got.Done != 3 || got.Ended.Sub(got.Begun) != 3*(draining+loading) {
			t.Errorf("%+v", got)
		}
		if !slices.Equal(r.takes, []string{"m-0", "m-1", "m-2"}) {
			t.Errorf("taken were %v", r.takes)
		}
	})
}

func TestAtOnce(t *testing.T) {
	inBubble(t, 3, func(r *rig) {
		p := r.plan()
		p.AtOnce, r.together = true, true
		r.start(p)
		after(draining + loading)
		r.expect(rollout.Done, 0, 2, 2, 2)
	})
}

// TestServerThatDoesNotComeBack: the others go on as they are, and nobody touches them.
func TestServerThatDoesNotComeBack(t *testing.T) {
	inBubble(t, 3, func(r *rig) {
		ended := make(chan rollout.Status, 1)
		p := r.plan()
		p.Ended = func(s rollout.Status) { ended <- s }
		r.servers[1].breaks(100)
		r.start(p)
		after(time.Hour)
		got := r.expect(rollout.Failed, 2, 2, 6, 1)
		if got.Done != 1 || got != <-ended || !strings.HasPrefix(got.Message, "m-1 does not come back: the server exited with code 1") {
			t.Errorf("%+v", got)
		}
		r.servers[2].phase(fleet.Ready)
	})
}

// TestServerThatStumbles: a failure or two are mended by the server's own restarts.
func TestServerThatStumbles(t *testing.T) {
	inBubble(t, 2, func(r *rig) {
		r.servers[0].breaks(2)
		r.start(r.plan())
		after(time.Hour)
		r.expect(rollout.Done, 1, 4, 2)
	})
}

// TestCrashMeanwhile: the one that crashes is a new one already when it is back, and nobody else is taken before.
func TestCrashMeanwhile(t *testing.T) {
	inBubble(t, 3, func(r *rig) {
		r.start(r.plan())
		after(draining + loading/2)
		r.servers[2].crash()
		after(time.Hour)
		r.expect(rollout.Done, 1, 2, 2, 2)
		if !slices.Equal(r.takes, []string{"m-0", "m-2", "m-1"}) {
			t.Errorf("taken were %v", r.takes)
		}
	})
}

// TestCrashOfANewOne after it was ready: the next waits.
func TestCrashOfANewOne(t *testing.T) {
	inBubble(t, 2, func(r *rig) {
		r.start(r.plan())
		after(draining + loading + time.Second)
		r.servers[1].phase(fleet.Draining)
		r.servers[0].crash()
		after(time.Hour)
		r.expect(rollout.Done, 0, 3, 2)
	})
}

func TestWhatIsDownIsReplacedFirst(t *testing.T) {
	inBubble(t, 3, func(r *rig) {
		r.servers[1].breaks(100)
		r.servers[1].crash()
		after(time.Hour)
		r.servers[1].phase(fleet.Failed)
		r.servers[1].breaks(0)
		starts := r.servers[1].now().Starts
		r.start(r.plan())
		after(time.Hour)
		r.expect(rollout.Done, 2, 2, starts+1, 2)
		if !slices.Equal(r.takes, []string{"m-1", "m-0", "m-2"}) {
			t.Errorf("taken were %v", r.takes)
		}
	})
}

func TestSurge(t *testing.T) {
	inBubble(t, 1, func(r *rig) {
		p := r.plan()
		p.Surge = r.surge(0)
		r.start(p)
		after(loading)
		r.servers[0].phase(fleet.Draining)
		after(draining + loading)
		r.servers[0].phase(fleet.Ready)
		r.spare().phase(fleet.Draining)
		r.expect(rollout.Rolling, 1, 2)
		after(draining)
		r.expect(rollout.Done, 1, 2)
		if r.spare() != nil {
			t.Error("the extra server is left")
		}
	})
}

func TestSurgeThatFails(t *testing.T) {
	inBubble(t, 1, func(r *rig) {
		p := r.plan()
		p.Surge = r.surge(100)
		r.start(p)
		after(time.Hour)
		got := r.expect(rollout.Failed, 1, 1)
		if !strings.HasPrefix(got.Message, "m-surge does not come back") || r.spare() != nil {
			t.Errorf("%+v, extra %v", got, r.spare())
		}
		p.Surge = func(context.Context) (*rollout.Extra, error) { return nil, errors.New("no port is free") }
		r.start(p)
		after(time.Hour)
		if got := r.expect(rollout.Failed, 1, 1); got.Message != "no port is free" {
			t.Errorf("%+v", got)
		}
		p.Surge = func(context.Context) (*rollout.Extra, error) { return nil, runner.ErrEnded }
		r.start(p)
		after(time.Hour)
		r.expect(rollout.Canceled, 1, 1)
	})
}

// TestSurgeWhosePortIsTaken while it starts: it gets another one, though not for ever.
func TestSurgeWhosePortIsTaken(t *testing.T) {
	for robberies, want := range map[int]rollout.State{2: rollout.Done, 3: rollout.Failed} {
		inBubble(t, 1, func(r *rig) {
			r.robberies = robberies
			p, begun := r.plan(), 0
			p.Surge = func(ctx context.Context) (*rollout.Extra, error) {
				begun++
				return r.surge(0)(ctx)
			}
			r.start(p)
			after(time.Hour)
			got, _ := r.rolls.Status("m")
			if got.State != want || begun != 3 || r.spare() != nil {
				t.Errorf("%d times: %+v after %d extra servers, one left: %v", robberies, got, begun, r.spare() != nil)
			}
		})
	}
}

// TestSurgeWithoutRoom: by then somebody else has what was free.
func TestSurgeWithoutRoom(t *testing.T) {
	inBubble(t, 2, func(r *rig) {
		p := r.plan()
		p.Surge = func(context.Context) (*rollout.Extra, error) { return nil, nil }
		r.start(p)
		after(time.Hour)
		r.expect(rollout.Done, 1, 2, 2)
	})
}

// fewer is a plan for the first server alone, of two. gone is closed when the other has been told to go.
func (r *rig) fewer() (p rollout.Plan, gone chan struct{}) {
	p, gone = r.plan(), make(chan struct{})
	other := r.servers[1]
	p.Servers = p.Servers[:1]
	p.Leaving = []*rollout.Extra{{ID: other.id, Status: other.now, Retire: func() { close(gone); other.halt() }}}
	p.Surge = func(context.Context) (*rollout.Extra, error) {
		r.t.Error("one more server is started, though the other serves")
		return nil, nil
	}
	return p, gone
}

// TestFewer: a server that is too much goes last, and serves until then.
func TestFewer(t *testing.T) {
	inBubble(t, 2, func(r *rig) {
		p, gone := r.fewer()
		r.start(p)
		after(draining + loading/2)
		r.servers[1].phase(fleet.Ready)
		after(loading / 2)
		<-gone
		r.servers[1].phase(fleet.Draining)
		if got := r.expect(rollout.Done, 1, 2, 1); got.Done != 1 || got.Total != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// TestFewerThanCome: the one that is too much serves on for a server that did not come back, until it does, also when another rollout
// has begun meanwhile that does not know of it.
func TestFewerThanCome(t *testing.T) {
	inBubble(t, 2, func(r *rig) {
		p, gone := r.fewer()
		r.servers[0].breaks(100)
		r.start(p)
		after(time.Hour)
		if got := r.expect(rollout.Failed, 1, 6, 1); !strings.HasSuffix(got.Message, "; m-1 serves in its place until it does") {
			t.Errorf("%+v", got)
		}
		p.Leaving = nil
		r.start(p)
		after(time.Hour)
		r.servers[1].phase(fleet.Ready)
		r.servers[0].breaks(0)
		if _, err := r.servers[0].unit.Do(r.t.Context(), unit.Event{Kind: unit.Start}); err != nil {
			t.Fatal(err)
		}
		after(loading)
		<-gone
		r.servers[1].phase(fleet.Draining)
	})
}

// TestFewerOfThoseThatLoad: where nothing has to be replaced, the one that is too much waits for those that are about to serve.
func TestFewerOfThoseThatLoad(t *testing.T) {
	f := func(name string, least int, wait time.Duration, act func(r *rig)) {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 2, func(r *rig) {
				p, gone := r.fewer()
				first := p.Servers[0]
				p.Servers, p.Beside, p.Surge = nil, func() []rollout.Server { return []rollout.Server{first} }, nil
				r.servers[0].crash()
				after(time.Second)
				r.start(p)
				after(time.Second)
				r.servers[1].phase(fleet.Ready)
				act(r)
				after(wait)
				<-gone
				r.expect(rollout.Done, least, r.servers[0].now().Starts, 1)
			})
		})
	}
	f("until they do", 1, loading, func(*rig) {})
	f("unless none is wanted", 0, 0, func(r *rig) {
		if _, err := r.servers[0].unit.Do(r.t.Context(), unit.Event{Kind: unit.Stop}); err != nil {
			r.t.Fatal(err)
		}
	})
}

// TestSurgeServesOn for a server that did not come back, until it does.
func TestSurgeServesOn(t *testing.T) {
	inBubble(t, 1, func(r *rig) {
		p := r.plan()
		p.Surge = r.surge(0)
		r.servers[0].breaks(100)
		r.start(p)
		after(24 * time.Hour)
		r.servers[0].phase(fleet.Failed)
		got := r.expect(rollout.Failed, 1, 6)
		if !strings.HasSuffix(got.Message, "; m-surge serves in its place until it does") {
			t.Errorf("%+v", got)
		}
		r.spare().phase(fleet.Ready)

		r.servers[0].breaks(0)
		if _, err := r.servers[0].unit.Do(r.t.Context(), unit.Event{Kind: unit.Start}); err != nil {
			t.Fatal(err)
		}
		after(loading + draining)
		if got := r.expect(rollout.Failed, 1, 7); r.spare() != nil || strings.Contains(got.Message, "serves") {
			t.Errorf("the extra server is left, or said to be: %+v", got)
		}
	})
}

// TestAnotherTakesOver while the first is half done: all are replaced again, and the extra server goes on to serve.
func TestAnotherTakesOver(t *testing.T) {
	inBubble(t, 1, func(r *rig) {
		p := r.plan()
		p.Surge = r.surge(0)
		r.start(p)
		after(loading + draining + loading/2)
		r.servers[0].phase(fleet.Starting)
		extra := r.spare()
		r.start(p)
		after(loading)
		if r.spare() != extra {
			t.Error("there is another extra server")
		}
		after(time.Hour)
		r.expect(rollout.Done, 1, 3)
		if r.spare() != nil {
			t.Error("the extra server is left")
		}
	})
	inBubble(t, 3, func(r *rig) {
		r.start(r.plan())
		after(draining + loading + draining/2)
		r.servers[1].phase(fleet.Draining)
		r.start(r.plan())
		after(time.Hour)
		r.expect(rollout.Done, 2, 3, 2, 2)
	})
}

func TestCancel(t *testing.T) {
	inBubble(t, 3, func(r *rig) {
		p := r.plan()
		p.Surge = r.surge(0)
		r.start(p)
		after(loading + draining/2)
		r.rolls.Cancel("m", rollout.ErrStopped)
		after(time.Hour)
		got := r.expect(rollout.Canceled, 2, 2, 1, 1) // what had begun goes on
		if got.Message != "the model was stopped" || r.spare() != nil {
			t.Errorf("%+v, extra %v", got, r.spare())
		}
		r.rolls.Cancel("nobody", rollout.ErrStopped)
		if _, ok := r.rolls.Status("nobody"); ok {
			t.Error("a rollout of nobody")
		}
	})
}

func TestCloseEndsAll(t *testing.T) {
	inBubble(t, 2, func(r *rig) {
		r.start(r.plan())
		after(draining / 2)
		r.rolls.Close()
		if got := r.expect(rollout.Canceled, 1, 1, 1); got.Message != "the supervisor is ending" {
			t.Errorf("%+v", got)
		}
		if err := r.rolls.Start("m", r.plan()); !errors.Is(err, runner.ErrEnded) {
			t.Errorf("a rollout after the end: %v", err)
		}
		after(time.Hour)
		r.expect(rollout.Canceled, 1, 2, 1)
	})
}

// TestWaitsForWhatIsMissing before it takes a server that serves: the new one would have to wait for it.
func TestWaitsForWhatIsMissing(t *testing.T) {
	inBubble(t, 2, func(r *rig) {
		p := r.plan()
		missing := "the model b is starting"
		p.Missing = func() string { return missing }
		r.start(p)
		after(time.Hour)
		if got := r.expect(rollout.Rolling, 2, 1, 1); got.Message != "waits: the model b is starting" {
			t.Errorf("message %q", got.Message)
		}
		missing = ""
		r.news()
		after(time.Hour)
		r.expect(rollout.Done, 1, 2, 2)
	})
}

// TestCrashesAtAnyTime plays random crashes and failed starts. The test's own check is that a rollout itself never takes a server
// that serves while another does not.
func TestCrashesAtAnyTime(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 0))
		inBubble(t, 3, func(r *rig) {
			p := r.plan()
			if random.IntN(2) == 0 {
				p.Surge = r.surge(random.IntN(2))
			}
			r.start(p)
			for range 20 {
				after(time.Duration(random.IntN(20)) * time.Second)
				s := r.servers[random.IntN(len(r.servers))]
				switch now := s.now(); {
				case random.IntN(4) == 0:
					s.breaks(random.IntN(3))
				case now.Phase == fleet.Ready || now.Phase == fleet.Starting || now.Phase == fleet.Draining:
					s.crash()
				}
			}
			after(time.Hour)
			if got, _ := r.rolls.Status("m"); got.State != rollout.Done && got.State != rollout.Failed {
				t.Errorf("seed %d: %+v", seed, got)
			}
		})
	}
}

// TestNobodyIsReplacedAfterCancel: who stops the model next has the last word.
func TestNobodyIsReplacedAfterCancel(t *testing.T) {
	down := func() unit.Status { return unit.Status{State: unit.State{Phase: fleet.Failed}} }
	begun, canceled := make(chan struct{}), make(chan struct{})
	first := func(ctx context.Context) error {
		close(begun)
		<-ctx.Done()
		select {
		case <-canceled:
			t.Error("Cancel did not wait")
		default:
		}
		return nil
	}
	second := func(context.Context) error {
		t.Error("the second was replaced after Cancel")
		return nil
	}
	rolls := rollout.New(func() <-chan struct{} { return nil }, func(string, rollout.Status) {})
	if err := rolls.Start("m", rollout.Plan{Servers: []rollout.Server{{ID: "m-0", Status: down, Replace: first}, {ID: "m-1", Status: down, Replace: second}}}); err != nil {
		t.Fatal(err)
	}
	<-begun
	rolls.Cancel("m", rollout.ErrStopped)
	close(canceled)
	rolls.Close()
	if got, _ := rolls.Status("m"); got.State != rollout.Canceled || got.Message != "the model was stopped" {
		t.Errorf("%+v", got)
	}
}

// TestWaitsForTheOthers: a server that is not replaced, and is about to come back, is waited for. One that does not is not.
func TestWaitsForTheOthers(t *testing.T) {
	part := func(r *rig) {
		p := r.plan()
		rest := p.Servers[1:]
		p.Servers, p.Beside = p.Servers[:1], func() []rollout.Server { return rest }
		r.start(p)
	}
	inBubble(t, 2, func(r *rig) {
		r.servers[1].crash()
		after(0)
		part(r)
		after(loading / 2)
		r.servers[0].phase(fleet.Ready)
		after(time.Hour)
		r.expect(rollout.Done, 1, 2, 2)
	})
	inBubble(t, 2, func(r *rig) {
		r.together = true
		r.servers[1].breaks(100)
		r.servers[1].crash()
		after(0)
		part(r)
		after(time.Hour)
		if got, _ := r.rolls.Status("m"); got.State != rollout.Done {
			t.Errorf("%+v", got)
		}
	})
}
