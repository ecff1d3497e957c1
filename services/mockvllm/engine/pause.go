package engine

import "errors"

// Mode is what a pause does with the sequences that are there.
type Mode string

// PauseAbort ends all, PauseWait lets those that run complete, PauseKeep lets them stand where they are.
const (
	PauseAbort Mode = "abort"
	PauseWait  Mode = "wait"
	PauseKeep  Mode = "keep"
)

// pause is what is not scheduled. Requests are taken in all the same.
type pause int

const (
	unpaused  pause = iota
	pausedNew       // waiting sequences
	pausedAll
)

// finishing is what is to be done once the engine stands still.
type finishing struct {
	clear bool // caches, and the KV of those that are kept
	level int  // of sleep, -1 for a mere pause
	done  chan struct{}
}

// State is how far the engine is awake.
type State struct {
	Paused   bool // what /is_paused says
	Sleeping bool // what /is_sleeping says: paused, or without a part of its memory
}

// State is that after the last call of Pause, Resume, Sleep or Wake.
func (e *Engine) State() State { return *e.shown.Load() }

// Pause schedules nothing new until Resume. The channel is closed when the engine stands still and, if asked for, has
// forgotten its prefix cache, for which sequences that are kept are preempted.
func (e *Engine) Pause(mode Mode, clearCache bool) <-chan struct{} {
	return e.halt(mode, finishing{clear: clearCache, level: -1})
}

// Sleep is a pause after which, from level 1 on, weights and KV cache are given up until Wake.
func (e *Engine) Sleep(level int, mode Mode) <-chan struct{} {
	return e.halt(mode, finishing{clear: level >= 1, level: level})
}

func (e *Engine) halt(mode Mode, f finishing) <-chan struct{} {
	f.done = make(chan struct{})
	ok := e.do(func() {
		e.paused = pausedNew
		switch mode {
		case PauseAbort:
			e.abortAll()
		case PauseKeep:
			e.paused = pausedAll
		case PauseWait:
		}
		e.pauses = append(e.pauses, f)
		e.show()
	})
	if !ok {
		close(f.done)
	}
	return f.done
}

// finishPauses ends pauses that were asked for, once no step runs and nothing that may run is left.
func (e *Engine) finishPauses() {
	if len(e.pauses) == 0 || !e.still() {
		return
	}
	for _, f := range e.pauses {
		if f.clear {
			e.resetCache(true)
		}
		if f.level >= 1 {
			for _, tag := range memory {
				e.asleep[tag] = true
			}
		}
		e.show()
		close(f.done)
	}
	e.pauses = nil
}

// still tells whether nothing runs, or will.
func (e *Engine) still() bool {
	switch {
	case e.step.inFlight:
		return false
	case e.paused == pausedAll:
		return true
	}
	return len(e.running) == 0 && (e.paused == pausedNew || len(e.waiting) == 0)
}

// memory is what sleep gives up, by the tags of /wake_up.
var memory = []string{"weights", "kv_cache"}

// Resume schedules again. Sequences that were kept go on as if no time had passed.
func (e *Engine) Resume() {
	e.do(func() {
		e.resume()
		e.show()
	})
}

func (e *Engine) resume() {
	e.paused = unpaused
	now := e.now()
	for _, s := range e.running {
		s.due = max(s.due, now)
	}
}

// Wake takes memory back, all of it without tags, and resumes if none is missing any more. The tag "scheduling" stands for
// the latter alone. It returns whether the engine is awake. A tag that is not asleep makes it do nothing, as in vLLM.
func (e *Engine) Wake(tags ...string) (awake bool) {
	e.do(func() {
		e.rouse(tags)
		if awake = len(e.asleep) == 0; awake {
			e.resume()
		}
		e.show()
	})
	return awake
}

func (e *Engine) rouse(tags []string) {
	if len(tags) == 0 {
		clear(e.asleep)
		return
	}
	for _, tag := range tags {
		if tag != "scheduling" && !e.asleep[tag] {
			return
		}
	}
	for _, tag := range tags {
		delete(e.asleep, tag)
	}
}

func (e *Engine) show() {
	paused := e.paused != unpaused
	e.shown.Store(&State{Paused: paused, Sleeping: paused || len(e.asleep) > 0})
}

// Reasons for which ReleaseCache does nothing, in vLLM's words.
var (
	errNotPaused = errors.New("a completed pause first")
	errAsleep    = errors.New("all executor memory to be resident")
)

// ReleaseCache gives up the KV cache of an engine that stands still, until Wake.
func (e *Engine) ReleaseCache() (err error) {
	e.do(func() {
		switch {
		case e.paused == unpaused || len(e.pauses) > 0:
			err = errNotPaused
		case len(e.asleep) > 0:
			err = errAsleep
		default:
			e.asleep["kv_cache"] = true
			e.show()
		}
	})
	return err
}

// ResetPrefixCache forgets what blocks hold. It fails while a block is in use, unless running sequences are to be preempted
// for it. The tokens of a step that runs are lost then, and computed again.
func (e *Engine) ResetPrefixCache(preemptRunning bool) (ok bool) {
	e.do(func() { ok = e.resetCache(preemptRunning) })
	return ok
}

func (e *Engine) resetCache(preemptRunning bool) bool {
	if preemptRunning {
		for i := len(e.running) - 1; i >= 0; i-- { // so that they come back in the same order
			e.preempt(e.running[i], i)
		}
	}
	ok := e.pool.Reset()
	e.it.PrefixReset = e.it.PrefixReset || ok
	return ok
}
