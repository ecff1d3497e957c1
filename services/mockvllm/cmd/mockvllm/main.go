// Command mockvllm is a vLLM server without the GPU.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	os.Exit(mockvllm.Main(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
