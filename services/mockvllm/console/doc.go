// Package console writes what vLLM and uvicorn write to their logs.
package console
