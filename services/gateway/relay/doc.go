// Package relay brings a backend's answer to the client: as it is, as soon as it comes, and never more complete than it is.
//
//	Receive ── holds back what can be held ──► Answer ── Send ──► Result
//
// Receive returns once something is worth sending: a plain answer when it is whole (or 8 MiB of it, or less where memory is scarce),
// an event stream with its first frame. Until then nothing went to the client, so any failure can still become an honest status
// or another attempt. Send copies the rest; a failure there ends a stream with an error event in place of the one that ends
// a complete stream of that API (End), and a plain answer with a broken connection.
package relay
