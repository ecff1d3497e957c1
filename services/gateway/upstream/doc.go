// Package upstream talks to model servers: it builds the request that a backend gets, sends it, waits for it with
// bounded patience, tells one kind of failure from another, and probes which backends answer.
package upstream
