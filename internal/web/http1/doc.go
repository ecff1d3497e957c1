// Package http1 is an HTTP/1.1 server (RFC 9110, RFC 9112) that costs as little as a request can: one goroutine a
// connection, which reads a request, runs the handler and writes the answer, and no other. net/http starts a second one for each
// request, to notice a client that leaves; here one watch (package hangup) does that for all connections.
//
//	Server ── Serve ──► conn ──► await.go     the next request; head/ reads what it says, strictly
//	                       ├───► wait.go      what a connection is between two requests
//	                       ├───► body.go      its body, by length or in chunks; pace.go how slow a client may be
//	                       ├───► response.go  http.ResponseWriter
//	                       ├───► cancel.go    ends the request's context, also when the client has left
//	                       ├───► secure.go    TLS, where it is asked for
//	                       ├───► ending.go    how it is closed: refused, in peace, or broken off
//	                       └───► handover.go  to who speaks HTTP/2
//
// It takes any http.Handler. What is not offered: HTTP/2 (net/http serves it), Hijack, sniffing of content types,
// trailers in answers. A request that could mean one thing here and another to the next server on its way is refused: two
// lengths, a length and chunks, folded lines, bare line feeds. docs/adr/0008 says why it exists.
package http1
