// Package api answers people and their tools, under /api/llm: how the models are, what happened, what they print, and what
// somebody wants to be otherwise. What it is asked it passes on to the rooms that know or do that.
//
//	api.go      how the models are; start, stop, restart and health checks
//	edit.go     another text of the models
//	history.go  the events
//	output.go   the logs
//	request.go  what the requests have in common
package api
