// Package routing knows which models there are and chooses a backend for each attempt.
//
//	fleet.Snapshot ──Apply──► Table (immutable) ──Resolve──► Model ──Plan──► the models that may answer, in order
//	                            │
//	Acquire(model, Request) ──pick.Usable, pick.Choose (pure)──► Lease on one backend ──Report, Release
//	                            │
//	state by backend id ◄── Report (requests), SetUp (probes), SetLoad (polled figures)
//
// What outlives a snapshot, a backend's requests in flight, its health and its load, is kept by backend id. It begins anew
// when the supervisor finds the backend ready again or moves it. Health is drawn in health.go.
package routing
