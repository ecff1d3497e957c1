// Package supervisor starts, watches, restarts, drains and stops the model servers of a models file, and tells gateways where to
// send traffic. No request passes through it.
//
//	manifest/    the models file; rehearse/ makes one of it that needs no GPU
//	modelsfile/  which version of it is in force ──► reconcile/ brings what runs in line with that
//	change/      what another version changes
//	servers/     makes a runner of each instance in it: what starts it, and what becomes of what it says
//	unit/        what should happen next, a pure function; runner/ has it done, one goroutine an instance
//	driver/      how to start and end one: process/, docker/, external/
//	engine/      what a Docker engine is asked; dockerproxy/ lets through no more than that
//	loading/     when one may begin to load; gpu/ has room for it, swap/ a place
//	demand/      which of those on demand run
//	rollout/     how those of a model are replaced; restart/ begins that, and starts one more meanwhile
//	drain/       how long its requests may take before one ends
//	probe/       how it is
//	logs/        what it printed
//	classify/    what that tells: how far a start is, why a server ended
//	store/       what happened, and what outlives the supervisor
//	   │ every change
//	   ▼
//	board/       which models and servers there are, and how each is; crew/ runs the units of it
//	   ├───────► gateways/ the feed for them, and their heartbeats: what is in flight, for which a drain waits
//	   ├───────► report/   how people are told of them
//	   │            └────► api/  what people ask and want: the models, their logs, their history
//	   └───────► metrics.go
//
// routes.go has every URL; follow/ keeps answers going that have no end.
package supervisor
