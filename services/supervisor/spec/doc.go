// Package spec reads the models file: JSON with comments, or YAML, strict.
//
//	Load ─► node.go      one tree for both notations (internal/document)
//	        object.go    walks it, collecting every fault with its path
//	        values.go    numbers, durations, choices
//	        model.go     one entry of llmModels: which form it has and what all forms share
//	        process.go   command/args/env        ┐
//	        vllm.go      model/port/profile      ├► Model with its Instances: the plan
//	        remote.go    endpoints, container, deployment ┘
//	        traffic.go   routing and limits, which all forms share
//	        check.go     what only the whole file shows: ports and names used twice, models that do not exist
//
//	fields.go describes every field once: for the reader, for Schema (schema.go) and for the reference in docs/
//
// A faulty file gives no plan and one error that names all faults. Secrets, that is api_key and the values of env, are in
// no error and in no String.
package spec
