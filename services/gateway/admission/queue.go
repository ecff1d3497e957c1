package admission

import (
	"cmp"
	"container/list"
	"slices"
	"time"
)

// waiter is a request in the queue. Its gate's lock guards it.
type waiter struct {
	key      string
	priority int
	hold     bool          // it waits for a model that is coming
	start    time.Time     // of its wait
	patience time.Duration // for its turn, once the model is there
	done     chan struct{} // closed when its wait is over
	refused  error         // why, when it got no slot

	line *line
	at   *list.Element // in the line; nil once it is out of the queue
}

// queue says whose turn it is.
//
//	levels   by priority, the highest first
//	  turns    the lines of a level, the next one first
//	    line     the waiters of a key, in the order of arrival
type queue struct {
	levels []*level
	len    int
}

type level struct {
	priority int
	turns    *list.List // of *line
	byKey    map[string]*line
}

type line struct {
	level   *level
	key     string
	at      *list.Element // among the turns
	waiters *list.List    // of *waiter
}

func (q *queue) push(w *waiter) {
	i, found := q.find(w.priority)
	if !found {
		q.levels = slices.Insert(q.levels, i, &level{w.priority, list.New(), map[string]*line{}})
	}
	lv := q.levels[i]
	ln := lv.byKey[w.key]
	if ln == nil {
		ln = &line{level: lv, key: w.key, waiters: list.New()}
		ln.at = lv.turns.PushBack(ln)
		lv.byKey[w.key] = ln
	}
	w.line, w.at = ln, ln.waiters.PushBack(w)
	q.len++
}

func (q *queue) find(priority int) (int, bool) {
	return slices.BinarySearchFunc(q.levels, priority, func(l *level, p int) int { return cmp.Compare(p, l.priority) })
}

// pop takes out the one whose turn it is. The queue is not empty.
func (q *queue) pop() *waiter {
	ln := q.levels[0].turns.Front().Value.(*line)
	w := ln.waiters.Front().Value.(*waiter)
	ln.level.turns.MoveToBack(ln.at)
	q.remove(w)
	return w
}

// remove takes a waiter out of wherever it stands.
func (q *queue) remove(w *waiter) {
	ln, lv := w.line, w.line.level
	ln.waiters.Remove(w.at)
	w.at = nil
	q.len--
	if ln.waiters.Len() > 0 {
		return
	}
	lv.turns.Remove(ln.at)
	delete(lv.byKey, ln.key)
	if lv.turns.Len() > 0 {
		return
	}
	i, _ := q.find(lv.priority)
	q.levels = slices.Delete(q.levels, i, i+1)
}

// those are the waiters of whom f holds.
func (q *queue) those(f func(*waiter) bool) []*waiter {
	var found []*waiter
	for _, lv := range q.levels {
		for ln := lv.turns.Front(); ln != nil; ln = ln.Next() {
			for e := ln.Value.(*line).waiters.Front(); e != nil; e = e.Next() {
				if w := e.Value.(*waiter); f(w) {
					found = append(found, w)
				}
			}
		}
	}
	return found
}

// yields returns who makes room in a full queue for a newcomer, nil for nobody: the last one of the longest line at the lowest
// priority, when that is lower than the newcomer's, or the same and the line would still be no shorter than the newcomer's.
func (q *queue) yields(priority int, key string) *waiter {
	if len(q.levels) == 0 {
		return nil
	}
	lowest := q.levels[len(q.levels)-1]
	if lowest.priority > priority {
		return nil
	}
	longest := lowest.turns.Front().Value.(*line)
	for e := lowest.turns.Front(); e != nil; e = e.Next() {
		if ln := e.Value.(*line); ln.waiters.Len() > longest.waiters.Len() {
			longest = ln
		}
	}
	if own := lowest.byKey[key]; lowest.priority == priority {
		mine := 1
		if own != nil {
			mine += own.waiters.Len()
		}
		if longest.waiters.Len() <= mine {
			return nil
		}
	}
	return longest.waiters.Back().Value.(*waiter)
}
