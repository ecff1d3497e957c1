package gpu

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// poll is the time between two looks at the memory.
	poll = time.Second
	// patience is how long a start waits for its memory. Then vLLM itself shall judge: it may know better, and if not its log says
	// what it lacks.
	patience = 2 * time.Minute
	// freePatience is how long the end of a server waits for its memory. The driver gives it back within seconds of the last process;
	// what is not free then somebody else has.
	freePatience = 10 * time.Second
)

// GPUs are those of this machine. They are safe for concurrent use.
type GPUs struct {
	log *zap.Logger

	mu    sync.Mutex
	turns map[string]chan struct{} // by UUID: holds a value while a server starts there
}

// New returns the GPUs of this machine.
func New(log *zap.Logger) *GPUs { return &GPUs{log: log, turns: map[string]chan struct{}{}} }

// Admit returns when a server that takes a share (over 0, at most 1) of the memory of each of the devices may start, and nobody else
// may start there until release is called. Devices are named as in CUDA_VISIBLE_DEVICES. Meanwhile waiting is told what for, each time
// that changes. The only error is that of ctx.
func (g *GPUs) Admit(ctx context.Context, share float64, devices []string, waiting func(string)) (release func(), err error) {
	uuids := g.uuids(ctx, devices)
	release, err = g.take(ctx, uuids, waiting)
	if err != nil || len(uuids) == 0 {
		return release, err
	}
	if err := g.await(ctx, share, uuids, waiting); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// Lacks says which of the devices have less memory free than a server with that share takes, and how much; "" when none has.
func (g *GPUs) Lacks(ctx context.Context, share float64, devices []string) string {
	_, lack := memory(g.look(ctx), g.uuids(ctx, devices), share)
	return lack
}

// Freed returns once a server that has ended has given back its share of the memory of each of the devices, and "". When that took too
// long, or ctx ends, it returns what is lacking.
func (g *GPUs) Freed(ctx context.Context, share float64, devices []string) (lack string) {
	uuids := g.uuids(ctx, devices)
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for deadline := time.After(freePatience); ; {
		if _, lack = memory(g.look(ctx), uuids, share); lack == "" {
			return ""
		}
		select {
		case <-tick.C:
		case <-deadline:
			return lack
		case <-ctx.Done():
			return lack
		}
	}
}

// look asks nvidia-smi. What it cannot answer holds nobody up.
func (g *GPUs) look(ctx context.Context) []device {
	all, err := query(ctx)
	if err != nil && ctx.Err() == nil {
		g.log.Warn("model servers start without a look at the memory of the GPUs", zap.Error(err))
	}
	return all
}

// uuids are those of the devices that are found, in an order that is the same for everybody.
func (g *GPUs) uuids(ctx context.Context, names []string) []string {
	all := g.look(ctx)
	var uuids []string
	for _, name := range names {
		if d, ok := among(all, name); ok {
			uuids = append(uuids, d.uuid)
		}
	}
	slices.Sort(uuids)
	return slices.Compact(uuids)
}

// take waits for the turn at each of the devices.
func (g *GPUs) take(ctx context.Context, uuids []string, waiting func(string)) (release func(), err error) {
	var taken []chan struct{}
	release = sync.OnceFunc(func() {
		for _, turn := range taken {
			<-turn
		}
	})
	for _, uuid := range uuids {
		turn := g.turn(uuid)
		select {
		case turn <- struct{}{}:
		default:
			waiting("another model server is starting on the same GPU")
			select {
			case turn <- struct{}{}:
			case <-ctx.Done():
				release()
				return nil, ctx.Err()
			}
		}
		taken = append(taken, turn)
	}
	return release, nil
}

func (g *GPUs) turn(uuid string) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.turns[uuid] == nil {
		g.turns[uuid] = make(chan struct{}, 1)
	}
	return g.turns[uuid]
}

// await waits until the share of each device is free and no more becomes free.
func (g *GPUs) await(ctx context.Context, share float64, uuids []string, waiting func(string)) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	said := ""
	var before map[string]float64
	for deadline := time.After(patience); ; {
		now, lack := memory(g.look(ctx), uuids, share)
		switch {
		case lack != "":
		case before == nil: // a second look tells whether it is still growing
		case grew(before, now):
			lack = "memory of the GPU is being given back"
		default:
			return ctx.Err()
		}
		if lack != "" && lack != said {
			waiting(lack)
			said = lack
		}
		before = now
		select {
		case <-tick.C:
		case <-deadline:
			g.log.Warn("a model server starts though memory of its GPU is lacking", zap.String("detail", said))
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// memory is what is free of each device, and in words which of them lack how much.
func memory(all []device, uuids []string, share float64) (free map[string]float64, lack string) {
	free = map[string]float64{}
	var lacks []string
	for _, uuid := range uuids {
		d, ok := among(all, uuid)
		if !ok {
			continue // it was there a moment ago; whatever happened, the server will tell
		}
		free[uuid] = d.free
		if need := share * d.total; d.free < need {
			lacks = append(lacks, fmt.Sprintf("GPU %s has %.1f GiB free of the %.1f that the model takes", d.index, d.free/1024, need/1024))
		}
	}
	return free, strings.Join(lacks, "; ")
}

// grew tells whether more is free than before.
func grew(before, now map[string]float64) bool {
	for uuid, free := range now {
		if free > before[uuid] {
			return true
		}
	}
	return false
}
