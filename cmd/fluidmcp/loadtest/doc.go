// Package loadtest sends requests to an OpenAI-compatible server, at a rate or with so many at a time, and measures how it
// answers.
//
//	config.go   what a run is, and Prepare, which checks it
//	target.go   where the requests go, and which model is meant
//	run.go      Run: from a plan to a report, and the warnings in it
//	drive.go    the two loops that send requests
//	phases.go   which request is of the warm-up, which is measured, when it is over
//	places.go   the most requests in flight of an open loop
//	samples.go  one request as a line of a file
//	live.go     what a person at a terminal sees meanwhile
//
// A request passes: arrival says when, prompt says what, client sends it and notes the times, result collects them. cost
// watches the load tester itself, expect judges the run, report prints it.
package loadtest
