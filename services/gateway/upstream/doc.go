// Package upstream talks to model servers: it builds the request that a backend gets, sends it, waits for it with
// bounded patience, and tells one kind of failure from another.
//
//	NewRequest ──► Transport.Forward ──► answer            pool/ connections: made, kept, checked, counted
//	                 │ message   head and body in bytes    wire/ requests to bytes, bytes to answers
//	                 │ pool      a kept connection, or a new one
//	                 └ exchange  write, read the head; then it is the answer's body
package upstream
