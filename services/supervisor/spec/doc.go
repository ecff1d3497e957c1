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
//	        devices.go   which GPUs a server takes, and how much of each
//	        check.go     what only the whole file shows: ports and names used twice, models that do not exist
//
//	source.go    the text before the plan, which may be changed entry by entry
//	settings.go  what it says of a model, for people: the room change compares that
//	rehearse.go  the plan with mocks in the place of vLLM
//
//	fields.go describes every field once: for the reader, for Schema (schema.go) and for the reference in docs/
//
// A faulty file gives no plan and one error that names all faults. Secrets, that is api_key and the values of env, are in
// no error and in no String.
package spec
