// Package scoring is vLLM's /generative_scoring: how likely each of several texts makes a token, compared with others.
package scoring
