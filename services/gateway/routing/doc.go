// Package routing knows which models there are and chooses a backend for each attempt.
//
//	fleet.Snapshot ──Apply──► Table (immutable) ──Resolve──► Model
//	                            │
//	Acquire(model, tried) ──Pick (pure)──► Lease on one backend ──Release
//
// What outlives a snapshot, a backend's requests in flight and whether it answers, is kept by backend id.
package routing
