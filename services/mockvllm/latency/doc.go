// Package latency says when the tokens of a request are due. Deadlines are absolute, so that delays never add up to a drift.
package latency
