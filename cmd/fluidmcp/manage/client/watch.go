package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/sse"
)

const (
	// maxEvent bounds one event as it is read. A line of a log has up to 64 KiB, and more as JSON.
	maxEvent = 1 << 20
	// comeBack is the wait before a stream that broke off is asked for again.
	comeBack = time.Second
)

// Watch follows a stream of events until ctx ends. Each is decoded into T and given to show, which returns what the client says by
// Last-Event-ID when it comes back, "" for what it said before. A stream that broke off is asked for again, because the supervisor may be
// restarting, which is worth watching; only the first one has to begin.
func Watch[T any](ctx context.Context, g *Gateway, path, what string, notes io.Writer, show func(event T, text []byte) (id string, err error)) error {
	header := http.Header{}
	said := ""
	for worked := false; ; {
		began, err := stream(ctx, g, path, header, show)
		worked = worked || began
		if ctx.Err() != nil {
			return nil
		}
		if !worked {
			return err
		}
		if now := err.Error(); began || now != said { // not again each second
			said = now
			fmt.Fprintf(notes, "fluidmcp: the stream of %s broke off (%s); asking for it again\n", what, said)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(comeBack):
		}
	}
}

// stream shows one stream to its end, which is always an error, and tells whether it had begun.
func stream[T any](ctx context.Context, g *Gateway, path string, header http.Header, show func(T, []byte) (string, error)) (began bool, err error) {
	resp, err := g.Open(ctx, http.MethodGet, path, header, nil)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	frames := sse.NewReader(resp.Body, maxEvent)
	for {
		frame, err := frames.Next()
		if err != nil {
			return true, err
		}
		if frame.Data == nil {
			continue // a comment
		}
		var event T
		if err := json.Unmarshal(frame.Data, &event); err != nil {
			return true, fmt.Errorf("decode an event: %w", err)
		}
		id, err := show(event, frame.Data)
		if err != nil {
			return true, err
		}
		if id != "" {
			header.Set("Last-Event-ID", id)
		}
	}
}
