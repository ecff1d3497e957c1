// Package engine batches requests as vLLM's V1 engine does: in steps, of which each gives at most one token to each running
// sequence and computes as much of the prompts as its budget of tokens allows. Who holds the turn owns everything: one goroutine, but for
// answers that take no time, which their submitters serve themselves.
//
//	Submit ──► waiting ◄──preempt── running ──► ended (its own finish reason)
//	              └─────admit──────────►│
//	              │                     │
//	              └─────────────────────┴─────► ended (abort: Abort of the client's request, Stop, or Pause)
//
//	a step:  schedule (running ones, then waiting ones; tokens, blocks) ──► time passes ──► complete ──► Observer ──► Wake
//
// What the tokens say is not the engine's business: a sequence is a number of tokens. Of their ids it knows hashes of full
// blocks, for the prefix cache.
//
// Time is told by latency.Model. With a profile a step takes as long as its batch needs, and the next one begins at the
// instant at which it ended. Without one a step takes no time and each sequence has deadlines of its own, of which one
// follows the other; a step serves those that are due. Either way an instant follows from the one before and not from when
// the engine woke up, so that delays never add up to a drift.
//
// What differs from vLLM: it schedules a step while the one before runs, and this engine when it has ended. Where each
// sequence has its own deadlines, the budget of a step parts prompts but delays nobody, and a preempted sequence waits for
// its time to first token once more.
package engine
