// Package probe asks model servers how they are, in the way that vLLM answers: GET /health is 200 while the engine lives, and
// GET /v1/models lists what is served.
package probe
