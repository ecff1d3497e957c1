// Package head reads the head of a request (RFC 9110, RFC 9112): its line, its header, and where its body ends. It knows of no
// connection. What could mean one thing here and another to the next server on its way is refused: two lengths, a length and chunks,
// folded lines, bare line feeds.
package head
