// Package admission decides whether a request may go on now, later or not at all.
//
//	request ─► Quotas.Admit ─────────► Gates.Enter ─────────────► attempt ─► Slot.Leave, Lease.Release
//	           per key: requests and   per model: slots, then a
//	           tokens per minute, how  bounded queue by priority,
//	           many at once            fair between keys
//
//	quota.go      Quotas: what each key has used; figures.go: the x-ratelimit headers, the refusals
//	bucket.go     a token bucket
//	estimate.go   tokens of a request before anybody has counted them; the priority that a request asks for
//	gates.go      Gates: the gate of each model, by the last snapshot
//	gate.go       Gate: slots and waiting; ticket.go: what is asked of it; queue.go: whose turn it is
//
// # Rates
//
// A limit per minute is a bucket of that size that refills continuously, as OpenAI's do. A request takes the tokens that
// it is estimated to need when it is admitted; when its real usage is known the difference is given back or taken in addition.
// A request that is refused takes nothing, other than at OpenAI, where it counts: a client that keeps trying is not locked out.
//
// A request that is estimated to need more than a whole bucket can never succeed. It is refused as OpenAI does it, by 429 with
// "Request too large … Limit …, Requested …", because clients know that form. It has no Retry-After; x-should-retry: false
// keeps OpenAI's SDKs from trying all the same.
//
// # Turns
//
// Higher priorities go first. Within one the keys take turns, and within a key the order is that of arrival. In a full queue
// who takes most of it yields: a waiter of a lower priority, or of a key with a longer line. See Gate.
//
// # Models that are not there
//
// While a model is started for its requests its gate is shut: they wait in the same queue, within the same bound, but for as long as a
// load may take; the time for a turn begins when the gate opens. Wanted tells that the first one waits, which the supervisor has to
// hear of. When the model has failed for good the gate opens too: each request then sees for itself that no server is there, and why.
package admission
