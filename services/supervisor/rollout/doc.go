// Package rollout replaces the servers of a model without leaving it unserved: one after the other, each drained first, and the
// next only when all others are ready. What is not ready has nothing to lose and is replaced at once.
//
//	Plan ──► decide (pure): replace these, wait, done, or failed
//	           ▲                                  │
//	           └──── a server has changed ◄───────┘
//
// A server that does not come back ends the rollout and leaves the others as they are. With room for one more server that one
// starts first and ends last, so that a model of one server is served meanwhile too. For the same reason servers
// of which the model has too many by now go last.
package rollout
