// Package manifest is what a models file declares: the plan, with all its models and their servers. The file is JSON with comments,
// or YAML, strict.
//
//	file.go     the plan          secret.go   what of it nobody may see
//	extra.go    one more server of a model
//
//	read/ ─► source/   the text, one tree for both notations, which may be changed entry by entry
//	         strict/   reads it field by field, collecting every fault with its path
//	         fields/   describes every field once: for strict, for the JSON Schema and for the reference in docs/
//	         argv/     the command line of a server
//	         check/    what only the whole file shows: ports and names used twice, models that do not exist
//
// Secrets, that is api_key and the values of env, are in no error and in no String.
package manifest
