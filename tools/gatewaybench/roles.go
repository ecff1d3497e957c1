package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/sse"
	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/load"
	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/upstream"
)

// roles are what this program can be, each as a process of its own. The first argument is the role.
var roles = map[string]func(ctx context.Context, args []string, stdout io.Writer) error{
	"upstream": func(ctx context.Context, args []string, _ io.Writer) error {
		ln, err := net.Listen("tcp", args[0])
		if err != nil {
			return err
		}
		return new(upstream.Server).Serve(ctx, ln)
	},
	"load": func(ctx context.Context, args []string, stdout io.Writer) error {
		var o load.Options
		if err := json.Unmarshal([]byte(args[0]), &o); err != nil {
			return fmt.Errorf("read options: %w", err)
		}
		result, err := load.Run(ctx, o)
		if err != nil {
			return err
		}
		return json.NewEncoder(stdout).Encode(result)
	},
	"reverseproxy": func(ctx context.Context, args []string, _ io.Writer) error {
		target, err := url.Parse(args[1])
		if err != nil {
			return err
		}
		return serve(ctx, args[0], reverseProxy(target))
	},
	"feed": func(ctx context.Context, args []string, _ io.Writer) error {
		return serve(ctx, args[0], feed(args[1]))
	},
}

// serve is the standard library alone, whatever our own services are served by.
func serve(ctx context.Context, addr string, h http.Handler) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// reverseProxy is the least that a gateway on the standard library costs.
func reverseProxy(target *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
		BufferPool:    &buffers{},
		Transport:     &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true},
	}
}

// buffers spare ReverseProxy 32 KB of garbage a request.
type buffers struct{ sync.Pool }

func (b *buffers) Get() []byte {
	if kept, ok := b.Pool.Get().(*[]byte); ok {
		return *kept
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(buffer []byte) { b.Pool.Put(&buffer) }

// feed is what a supervisor with one model says to gateways. It takes their heartbeats and does nothing with them.
func feed(backend string) http.Handler {
	snapshot, err := json.Marshal(fleet.Snapshot{Epoch: "bench", Revision: 1, Models: []fleet.Model{{ID: "bench", ServedName: "bench",
		Phase: fleet.Ready, Backends: []fleet.Backend{{ID: "bench-0", URL: backend, Routable: true, Weight: 1}}}}})
	if err != nil { // it always marshals
		panic(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/gateways/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /v1/fleet", func(w http.ResponseWriter, r *http.Request) {
		out := sse.NewWriter(w)
		for err := out.Data(snapshot); err == nil; err = out.Comment("quiet") {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(fleet.KeepAlive):
			}
		}
	})
	return mux
}
