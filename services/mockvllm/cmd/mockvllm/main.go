// Command mockvllm is a vLLM server without the GPU.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
)

// gcPercent trades some megabytes for a sixth of the processor time of an answer. GOGC in the environment wins.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	os.Exit(mockvllm.Main(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
