// Package engine decides when the tokens of each request are delivered. One goroutine owns a queue of waiting and a heap
// of running sequences; at most MaxRunning run, the others wait in order of arrival.
//
//	Submit ──► waiting ──► running ──► ended (its own finish reason)
//	              │           │
//	              └───────────┴──────► ended (abort: Abort of the client's request, or Stop of the engine)
//
// What the tokens say is not the engine's business: a sequence is a number of tokens with deadlines. Of a prompt it knows
// the hashes of its blocks, to tell how much of it a prefix cache would have had.
package engine
