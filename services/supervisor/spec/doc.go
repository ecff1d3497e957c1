// Package spec reads the models file: JSON with comments, or YAML, strict.
//
//	Load ─► source/     the text, one tree for both notations, which may be changed entry by entry
//	        strict/     reads it field by field, collecting every fault with its path
//	        fields/     describes every field once: for strict, for the JSON Schema and for the reference in docs/
//	        parse.go    the file
//	        model.go    one entry of llmModels: which form it has and what all forms share
//	        process.go  command/args/env        ┐  argv/ has their command line
//	        vllm.go     model/port/profile      ├► Model with its Instances: the plan (file.go)
//	        remote.go   endpoints, container, deployment ┘
//	        traffic.go  routing and limits, which all forms share
//	        devices.go  which GPUs a server takes, and how much of each
//	        check.go    what only the whole file shows: ports and names used twice, models that do not exist
//
// A faulty file gives no plan and one error that names all faults. Secrets, that is api_key and the values of env, are in
// no error and in no String.
package spec
