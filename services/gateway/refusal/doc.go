// Package refusal words what a client is told that asks for what there is not, or not now: which models there are, why one of them has
// no server for new requests, and what is wrong with the request.
package refusal
