// Package tokens is /tokenize and /detokenize of vLLM 0.32.
package tokens
