package faults

import "time"

// Death is why the engine ends.
type Death string

// The engine's process is gone, or its GPU had no memory left.
const (
	Killed      Death = "killed"
	OutOfMemory Death = "out of memory"
)

// State is what the rules say about the server as a whole at one moment.
type State struct {
	Refuse bool      // connections
	Hang   bool      // when told to stop
	Death  Death     // "" unless the engine is to die now; each rule says so once
	Next   time.Time // when this changes; zero for never
}

// State is that of now.
func (in *Injector) State(now time.Time) State {
	in.mu.Lock()
	defer in.mu.Unlock()
	var s State
	for i, r := range in.set.Rules {
		if !r.onServer() {
			continue
		}
		if r.Match.Window.open(now.Sub(in.began)) {
			s.Refuse = s.Refuse || r.Do.Refuse
			s.Hang = s.Hang || r.Do.Shutdown == Hang
			if death := r.Do.Death(); death != "" && !in.rules[i].fired {
				s.Death, in.rules[i].fired = death, true
			}
		}
		s.next(in.began, r.Match.Window, now)
	}
	return s
}

// next moves Next to the earliest edge of a window that is still to come.
func (s *State) next(began time.Time, w *Window, now time.Time) {
	if w == nil {
		return
	}
	edges := []time.Time{began.Add(time.Duration(w.At))}
	if w.For != 0 {
		edges = append(edges, edges[0].Add(time.Duration(w.For)))
	}
	for _, edge := range edges {
		if edge.After(now) && (s.Next.IsZero() || edge.Before(s.Next)) {
			s.Next = edge
		}
	}
}

// Death is how the engine is to die, "" when it is not.
func (a Action) Death() Death {
	switch {
	case a.OOM != nil:
		return OutOfMemory
	case a.Crash != nil:
		return Killed
	}
	return ""
}
