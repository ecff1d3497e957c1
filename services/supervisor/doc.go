// Package supervisor starts, watches, restarts, drains and stops the model servers of a models file, and tells gateways where to
// send traffic. No request passes through it.
//
//	spec/     the models file ──► plan.go makes a unit of each instance in it
//	change/   what another one changes ──► file.go reads it again, edit.go takes it over HTTP, apply.go acts
//	unit/     what should happen next, one goroutine an instance
//	driver/   how to start and end one: process/, docker/, external/
//	engine/   what a Docker engine is asked; dockerproxy/ lets through no more than that
//	gpu/      when a GPU has room for one
//	loading/  when one may begin to load (admit.go)
//	rollout/  how those of a model are replaced (restart.go)
//	probe/    how it is
//	logs/     what it printed; capture.go takes it in, output.go shows it
//	classify/ what that tells: how far a start is, why a server ended
//	store/    what happened, and what outlives the supervisor
//	   │ every change
//	   ▼
//	board/    which models and servers there are, and how each is; crew/ runs the units of it
//	   ├────► gateways/ the feed for them, and their heartbeats: what is in flight, for which a drain waits
//	   ├────► report/   how people are told of them; api.go is asked by them
//	   └────► metrics.go
//	record.go ──► history.go  what happened
//	follow/   what sends events to who follows the feed, a log or the history
//
// routes.go has every URL.
package supervisor
