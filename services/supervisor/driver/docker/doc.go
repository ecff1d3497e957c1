// Package docker runs model servers in containers that exist already, as compose creates them: it finds one by name and label, starts,
// stops and watches it, and passes its log on.
//
//	docker.go  Driver: finding, starting, going on with one that runs
//	server.go  a container while it runs, until it has ended
//	log.go     its output
//
// A container belongs to whoever created it. It outlives the supervisor, whose successor goes on with it.
package docker
