package swap_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/swap"
)

const loadTime, drainTime = 20 * time.Second, 5 * time.Second

// rig is a group whose models load, serve until they are evicted, and come again when they are wanted.
type rig struct {
	*testing.T
	groups *swap.Groups
	limits swap.Limits
	use    func(id string) swap.Use
	evict  map[string]chan struct{}
	loaded atomic.Int32
	most   atomic.Int32

	mu    sync.Mutex
	order []string // in which models got their places
	waits map[string]string
}

func newRig(t *testing.T, l swap.Limits, models ...string) *rig {
	r := &rig{T: t, groups: swap.New(), limits: l, evict: map[string]chan struct{}{}, waits: map[string]string{},
		use: func(string) swap.Use { return swap.Use{} }}
	for _, id := range models {
		r.evict[id] = make(chan struct{}, 1)
	}
	return r
}

func (r *rig) moved(id string, phase fleet.Phase, launched, ready time.Time) {
	r.groups.Moved("g", id, id+"-0", swap.Server{Phase: phase, Launched: launched, ReadyAt: ready})
}

// life is one life of a model, from its being wanted to its end. It returns how long it waited for its place.
func (r *rig) life(ctx context.Context, id string) time.Duration {
	begin := time.Now()
	r.moved(id, fleet.Pending, time.Time{}, time.Time{})
	if err := r.groups.Enter(ctx, "g", id, id+"-0", func(why string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.waits[id] = why
	}); err != nil {
		r.moved(id, fleet.Stopped, time.Time{}, time.Time{})
		return 0
	}
	waited := time.Since(begin)
	r.mu.Lock()
	r.order = append(r.order, id)
	r.mu.Unlock()
	if n := r.loaded.Add(1); n > r.most.Load() {
		r.most.Store(n)
	}
	launched := time.Now()
	r.moved(id, fleet.Starting, launched, time.Time{})
	time.Sleep(loadTime)
	ready := time.Now()
	r.moved(id, fleet.Ready, launched, ready)
	select {
	case <-r.evict[id]:
	case <-ctx.Done():
	}
	r.moved(id, fleet.Draining, launched, ready)
	time.Sleep(drainTime)
	r.loaded.Add(-1)
	r.moved(id, fleet.Stopped, launched, ready)
	return waited
}

// settle does what the supervisor does every second, until ctx ends.
func (r *rig) settle(ctx context.Context) {
	for ctx.Err() == nil {
		for _, id := range r.groups.Settle(map[string]swap.Limits{"g": r.limits}, r.use) {
			select {
			case r.evict[id] <- struct{}{}:
			default:
			}
		}
		time.Sleep(time.Second)
	}
}

func TestPlacesAreGivenInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, swap.Limits{Loaded: 1}, "a", "b", "c", "gives up")
		ctx, cancel := context.WithCancel(t.Context())
		impatient, give := context.WithTimeout(ctx, 10*time.Second)
		defer give()
		var all sync.WaitGroup
		defer all.Wait()
		defer cancel()
		all.Go(func() { r.settle(ctx) })
		for _, id := range []string{"a", "c", "gives up", "b"} {
			all.Go(func() {
				if id == "gives up" {
					r.life(impatient, id)
					return
				}
				r.life(ctx, id)
			})
			time.Sleep(time.Second)
		}
		// Each is loaded for 20 s, stays as long, and is drained for 5 s.
		time.Sleep(3 * time.Minute)
		r.mu.Lock()
		defer r.mu.Unlock()
		if order := strings.Join(r.order, " "); order != "a c b" || r.most.Load() != 1 {
			t.Errorf("places went to %s, at most %d at a time", order, r.most.Load())
		}
		if want := "waits for a place in swap group g, where a is loaded and 2 others wait"; r.waits["b"] != want {
			t.Errorf("b is told that it %s, want %s", r.waits["b"], want)
		}
	})
}

// TestNobodyStarves: models that are wanted all the time, and always at work, take turns.
func TestNobodyStarves(t *testing.T) {
	for _, places := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(places, " places"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var models []string
				for i := range 6 {
					models = append(models, fmt.Sprint("m", i))
				}
				r := newRig(t, swap.Limits{Loaded: places}, models...)
				r.use = func(string) swap.Use { return swap.Use{Busy: true, Last: time.Now()} }
				ctx, cancel := context.WithTimeout(t.Context(), 6*time.Hour)
				defer cancel()
				var all sync.WaitGroup
				all.Go(func() { r.settle(ctx) })
				// Who waits has at most all others before it, and each of those loads, stays, drains; and a tick each.
				longest := time.Duration(len(models)) * (loadTime + loadTime + drainTime + 3*time.Second)
				for _, id := range models {
					all.Go(func() {
						random := rand.New(rand.NewPCG(uint64(places), uint64(id[1])))
						for ctx.Err() == nil {
							if waited := r.life(ctx, id); waited > longest {
								t.Errorf("%s waited for %s, longer than %s", id, waited, longest)
							}
							time.Sleep(time.Duration(random.IntN(60)) * time.Second)
						}
					})
				}
				all.Wait()
				if int(r.most.Load()) != places {
					t.Errorf("%d were loaded at a time, want %d", r.most.Load(), places)
				}
				turns := map[string]int{}
				for _, id := range r.order {
					turns[id]++
				}
				for _, id := range models {
					if turns[id] < len(r.order)/len(models)/2 {
						t.Errorf("%s had %d of %d turns", id, turns[id], len(r.order))
					}
				}
			})
		})
	}
}

// TestServersShareAPlace: all replicas of a model have one place, from the first that has a process to the last.
func TestServersShareAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, limits := swap.New(), map[string]swap.Limits{"g": {Loaded: 1, Residency: time.Second}}
		settle := func() []string {
			return g.Settle(limits, func(string) swap.Use { return swap.Use{} })
		}
		entered := make(chan string, 10)
		enter := func(id, server string) {
			go func() {
				if g.Enter(t.Context(), "g", id, server, func(string) {}) == nil {
					entered <- server
				}
			}()
			synctest.Wait()
		}
		expect := func(want ...string) {
			t.Helper()
			synctest.Wait()
			var got []string
			for len(entered) > 0 {
				got = append(got, <-entered)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("%v have a place, want %v", got, want)
			}
		}
		moved := func(id, server string, phase fleet.Phase) {
			g.Moved("g", id, server, swap.Server{Phase: phase, Launched: time.Now(), ReadyAt: time.Now()})
		}
		moved("old", "old-0", fleet.Ready) // found running by a new supervisor
		enter("a", "a-0")
		enter("a", "a-1")
		expect()
		time.Sleep(time.Second)
		if out := settle(); !slices.Equal(out, []string{"old"}) {
			t.Fatalf("makes room: %v", out)
		}
		moved("old", "old-0", fleet.Draining)
		settle()
		expect()
		moved("old", "old-0", fleet.Stopping)
		moved("old", "old-0", fleet.Pending) // wanted again at once: it waits like others
		enter("old", "old-0")
		settle()
		expect("a-0", "a-1")
		moved("a", "a-0", fleet.Pending) // for something else
		moved("a", "a-0", fleet.Starting)
		moved("a", "a-0", fleet.Backoff)
		enter("a", "a-0") // its place is the other one's still
		expect("a-0")
		moved("a", "a-1", fleet.Stopped)
		moved("a", "a-0", fleet.Failed)
		settle()
		expect("old-0")

		// One that gives up in the moment in which its turn comes keeps no place.
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() { failed <- g.Enter(ctx, "g", "b", "b-0", func(string) {}) }()
		synctest.Wait()
		cancel()
		moved("old", "old-0", fleet.Stopped)
		settle()
		if err := <-failed; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		} else if err == nil {
			moved("b", "b-0", fleet.Stopped)
		}
		enter("a", "a-0")
		settle()
		expect("a-0")
	})
}
