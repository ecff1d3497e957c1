package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/pinned"
	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/rows"
)

const chat = `{"model":"bench","stream":%t,"max_tokens":64,"messages":[{"role":"user","content":"hello"}]}`

// server is the gateway under measurement; for direct it is the upstream.
type server struct {
	*pinned.Process
	row  rows.Row
	addr string
	feed *pinned.Process
}

func (g *server) stop() {
	g.Process.Stop()
	if g.feed != nil {
		g.feed.Stop()
	}
}

func (b *bench) startUpstream(ctx context.Context) (*pinned.Process, error) {
	dir, err := os.MkdirTemp(b.dir, "upstream-")
	if err != nil {
		return nil, err
	}
	addr := "127.0.0.1:" + b.places.Upstream
	p, err := pinned.Start(b.others, dir, nil, []string{b.places.Self, "upstream", addr})
	if err != nil {
		return nil, err
	}
	err = p.Await(ctx, 10*time.Second, func(ctx context.Context) (int, error) { return get(ctx, "http://"+addr+"/health", nil) })
	if err != nil {
		p.Stop()
		return nil, fmt.Errorf("start the upstream: %w", err)
	}
	return p, nil
}

func (b *bench) startGateway(ctx context.Context, r rows.Row) (*server, error) {
	g := &server{row: r, addr: "127.0.0.1:" + b.places.Port}
	if len(r.Command) == 0 {
		g.Process, g.addr = b.model, "127.0.0.1:"+b.places.Upstream
		return g, nil
	}
	dir, err := os.MkdirTemp(b.dir, r.Name+"-")
	if err != nil {
		return nil, err
	}
	places := b.places
	places.Dir = dir
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(places.Fill(r.Text)), 0o600); err != nil {
		return nil, err
	}
	var env []string
	for name, value := range r.Env {
		env = append(env, name+"="+places.Fill(value))
	}
	if r.Feed {
		if g.feed, err = pinned.Start(b.others, dir, nil, []string{b.places.Self, "feed", "127.0.0.1:" + b.places.ExtraPort, "http://127.0.0.1:" + b.places.Upstream}); err != nil {
			return nil, err
		}
	}
	if g.Process, err = pinned.Start(b.gateway, dir, env, places.FillAll(r.Command)); err != nil {
		if g.feed != nil {
			g.feed.Stop()
		}
		return nil, err
	}
	err = g.Await(ctx, r.StartTime(), func(ctx context.Context) (int, error) { return get(ctx, "http://"+g.addr+r.Ready, r.Headers) })
	if err == nil {
		err = g.Await(ctx, r.StartTime(), func(ctx context.Context) (int, error) { return g.ask(ctx) })
	}
	if err != nil {
		g.stop()
		return nil, fmt.Errorf("start %s: %w", r.Name, err)
	}
	return g, nil
}

// client uses no connection twice: leaving means to close it.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}

// send makes one chat completion request. The caller closes the body.
func (g *server) send(ctx context.Context, stream bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+g.addr+g.row.Path, strings.NewReader(fmt.Sprintf(chat, stream))) //nolint:gosec // the gateway under measurement
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	addHeaders(req, g.row.Headers)
	return client.Do(req) //nolint:gosec // see above
}

// ask makes one request and returns its status.
func (g *server) ask(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	resp, err := g.send(ctx, false)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func get(ctx context.Context, url string, headers []string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil) //nolint:gosec // it or the upstream
	if err != nil {
		return 0, err
	}
	addHeaders(req, headers)
	resp, err := client.Do(req) //nolint:gosec // see above
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func addHeaders(req *http.Request, headers []string) {
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Set(name, value)
	}
}
