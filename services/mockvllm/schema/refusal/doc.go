// Package refusal is why vLLM refuses a body, as it tells its clients.
package refusal
