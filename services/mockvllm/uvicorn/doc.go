// Package uvicorn is an HTTP/1.1 server that cannot be told on the wire from uvicorn 0.54 with httptools, as vLLM 0.32 runs it.
//
// It serves an http.Handler: one goroutine for each connection reads a head (package httptools), runs the handler, and sends what
// it writes. Server has the methods of http.Server. What a client sees differs from net/http in this way:
//
//   - names of headers are in lower case and in uvicorn's order (package head), and nothing is added but date, server, connection: close
//     and transfer-encoding; a content type is never guessed;
//   - a body without content-length is chunked, for HTTP/1.0 too; each Write followed by a Flush is one chunk and one write;
//   - what httptools would refuse is answered with uvicorn's 400, also when it follows a good request in the same packet, whose
//     answer is then lost;
//   - a client that has shut down its sending half has left, and is not answered once the handler waits;
//   - an upgrade to h2c is ignored together with the rest of its packet, a websocket is refused;
//   - a connection waits without limit for its first request, or for the rest of one, and five seconds for the next.
//
// It differs from uvicorn in that the head of a request is bounded (maxHead), and that garbage sent while a handler runs is found
// only when the handler is done.
//
// A handler waits by asking the context of its request for Done or Err. Only then is the connection watched: on Linux by package hangup,
// elsewhere by a goroutine that reads ahead as soon as the body was read (watch.go). A connection that is not
// waited on costs nothing.
//
// A handler that has to wait for long before its answer is whole, as a stream does, leaves the rest for Later (later.go).
package uvicorn
