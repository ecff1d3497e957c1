// Package cli reads the command line of `vllm serve` as vLLM 0.32 does with Python's argparse: every option with its type and
// choices, underscores for dashes, unambiguous beginnings of names, --no- forms, JSON in dotted names, options from a
// YAML file, and errors in argparse's words.
//
// serve.txt lists the options, one a line in the order in which vLLM registers them: names, type, then "?" (zero or one
// value), "+" (one or more) or "append" (may be repeated) where it is not one value, then the choices.
package cli
