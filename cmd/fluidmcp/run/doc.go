// Package run checks a models file, and starts its models and serves them: `fluidmcp run`.
//
//	run.go        the flags, and what is to be done
//	plan/         what would start            progress/   what happens, as it happens
//	rehearse.go   without a GPU
//	listen.go     which ports are free
//	serve.go      supervisor and gateway in this process
//	state.go      where they keep what is to survive
//	hangup.go     SIGHUP
package run
