// Package change tells what becomes of running models when their file changes: which fields, from what to what, and what that does
// to the servers. It only compares; the supervisor acts.
package change
