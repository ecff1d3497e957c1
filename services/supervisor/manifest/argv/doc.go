// Package argv is the command line of a model server: its words with what people may see of them, what vLLM's own parser takes them
// for, and what they mean for the machine.
//
//	line.go   flags and their values
//	vllm.go   which programs take vLLM's flags, and which model they serve under which name
//	flags.go  flags to begin with
//	gpu.go    what of a GPU they take
package argv
