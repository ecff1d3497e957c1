// Package gateway is the one front door for every model: an OpenAI-compatible HTTP server that finds the model, picks a
// backend, tries again while nothing was sent, and relays the answer without ever making it look more complete than it is.
//
//	client ─► routes.go ─► inference.go ──────────────────────────────────────────► client
//	                        │ identify  keys/        who is it, may they
//	                        │ resolve   endpoint/    which endpoint is meant
//	                        │           routing/     path or body model → model entry
//	                        │           intake/      take the body in, within what may be in memory
//	                        │           body/        scan the bytes, splice what must change
//	                        │ admit     admission/   the key's limits, a turn at the model
//	                        │ attempt   routing/     pick a backend        ┐ until an answer is at
//	                        │           upstream/    send, wait            │ hand of which nothing
//	                        │           relay/       hold the answer back  ┘ was sent yet
//	                        │ relay     relay/       copy and flush, tap usage and timing, close honestly
//	                        └ record    call.go      one log line, one set of metrics, whatever happened
//
// The steps are files of this room and not rooms, since each reads and writes what the record tells in the end (call.go) and what
// is to be sent (query.go). What they need to know of anything else is a room's.
//
// What a request is refused with is worded in refusal/ and failure.go. The management API is the supervisor's: management/ hands
// it on.
//
// Which models there are, and where, comes from the supervisor's fleet feed (internal/fleet); feed/ applies each
// snapshot and answers with heartbeats. The supervisor is never in the path of a request: when it is gone the last
// snapshot stays in force.
//
// # Paths
//
// A model is named by the path, /llm/{model}/…, or by the body of /v1/… and /llm/v1/…. Model ids may contain slashes,
// plain or percent-encoded. What follows the model is forwarded by this rule (endpoint/):
//
//   - the endpoints of the OpenAI API are found with and without v1/ and are asked under /v1/ of the backend;
//   - vLLM's tokenize, detokenize, classify, pooling and generative_scoring live outside of /v1 and are asked there;
//   - any other path that starts with v1/ passes as it is, so that a newer server's endpoints work;
//   - everything else, and loading LoRA adapters, controls the server and is for administrators.
//
// A name in the path beats one in the body. Where the body names a model that is declared, the name is replaced by the one that the
// model server itself uses; any other name is kept where the server lists an adapter of that name (adapters/), and else the path counts.
// A request that names no model is for the only one, where there is one; then the gateway's root is that model's, but for
// the paths that the gateway itself has.
//
// # What the model server judges
//
// An answer is what the model server itself would have said, but for a list that integration/differences_test.go holds. So where
// only one model can be meant, because the path names it or there is no other, its server also gets what is wrong: bodies that
// are no JSON or no object, methods that the endpoint does not have, and, where there is no other model, names that the gateway
// does not know. Nothing in these can be taken for another model's. The gateway itself
// refuses what two readers could understand differently: a model named twice, text that is no UTF-8, nesting that it cannot
// follow.
package gateway
