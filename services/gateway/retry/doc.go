// Package retry says when a request may be sent once more: how often (Budget), and how long to wait before a second backend
// is asked while the first is silent (FirstBytes). Pace has both for a model.
package retry
