// Package fleet is what supervisor and gateway say to each other: the supervisor feeds snapshots of the whole fleet,
// the gateway answers with heartbeats. All routes are the supervisor's.
//
//	GET    /v1/fleet                     one Snapshot as JSON
//	GET    /v1/fleet?watch=1             server-sent events, each event's data one Snapshot; comments as keep-alive
//	POST   /v1/gateways/{id}/heartbeat   a Heartbeat; 204
//	DELETE /v1/gateways/{id}             a gateway that ends; 204
//
// A snapshot is always whole: fleets are small, and there are no deltas to get wrong.
package fleet
