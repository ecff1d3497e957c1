// Package wire puts requests of HTTP/1.1 (RFC 9112) into bytes and reads the answers.
//
// It is strict where a lenient reader and another one could disagree about where an answer ends: what could be understood
// in two ways is refused with a *MalformedError.
package wire
