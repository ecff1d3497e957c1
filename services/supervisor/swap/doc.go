// Package swap decides which of the models that share GPUs are loaded.
//
//	a start ─► Groups.Enter ──► waits ──► has a place ─► loads, serves ─► Groups.Left
//	                             │             ▲
//	                             ▼             │ a place is free
//	           Groups.Settle ─► decide ─► those to evict: drained, then ended or put to sleep
//
// decide.go is the rule, a pure function; groups.go keeps who waits and who has a place.
//
// # The rule
//
// Places are given in the order in which models began to wait, so nobody is overtaken and a model that was evicted, and is wanted
// again at once, stands behind those that waited before. A model gives up its place only for one that waits, only when it has stayed
// for its residency, and only by a drain: what runs on it is answered. An idle one goes first, the one that was used longest ago;
// only when there is none, one that has work, because its work would never end by itself under a steady load, and who waits would
// wait for ever.
//
// # Why nothing blocks
//
// A model that has a place waits for nothing that another one of its group holds: it is loading, and becomes ready or fails within
// its start's timeout, or it is ready, and can be evicted after its residency, or it is leaving. So the first who waits gets a place in
// bounded time, and then the next.
//
// # Why the residency is what it is
//
// By default a model stays as long as its start took, and at least ten seconds. So whatever the requests ask for, the GPUs spend
// no more than half of their time loading, without anybody having to say how long a load takes.
package swap
