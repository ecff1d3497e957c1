// Package fastapi reads requests and writes answers and refusals in the forms of FastAPI and of vLLM's handlers on it.
package fastapi
