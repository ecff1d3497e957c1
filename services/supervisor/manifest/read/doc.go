// Package read makes the plan of a models file.
//
//	load.go     a file of this machine
//	parse.go    the file
//	model.go    one entry of llmModels: which form it has and what all forms share
//	process.go  command/args/env
//	vllm.go     model/port/profile
//	remote.go   endpoints, container, deployment
//	traffic.go  routing and limits, which all forms share
//	devices.go  which GPUs a server takes
//
// A faulty file gives no plan and one error that names all faults.
package read
