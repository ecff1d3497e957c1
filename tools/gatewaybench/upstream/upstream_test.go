package upstream_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve returns the address of a server and a client that ends with the test.
func serve(t *testing.T) (string, *http.Client) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- new(upstream.Server).Serve(ctx, ln) }()
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + ln.Addr().String(), client
}

func do(t *testing.T, client *http.Client, ctx context.Context, url string, body io.Reader) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return string(b)
}

func state(t *testing.T, client *http.Client, base string) (s upstream.State) {
	t.Helper()
	if err := json.Unmarshal([]byte(text(t, do(t, client, t.Context(), base+"/state", nil))), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnswers(t *testing.T) {
	base, client := serve(t)
	f := func(name string, body io.Reader, size, events int) {
		t.Run(name, func(t *testing.T) {
			resp := do(t, client, t.Context(), base+"/v1/chat/completions", body)
			got := text(t, resp)
			if resp.StatusCode != 200 || size > 0 && (len(got) != size || !json.Valid([]byte(got))) || strings.Count(got, "data: {") != events ||
				events > 0 && !strings.HasSuffix(got, "data: [DONE]\n\n") {
				t.Errorf("%d, %d bytes: %s", resp.StatusCode, len(got), got)
			}
		})
	}
	f("plain", strings.NewReader(`{"stream":false}`), 1024, 0)
	f("chunked body", io.MultiReader(strings.NewReader(`{"stream":`), strings.NewReader(`false}`)), 1024, 0)
	f("stream", strings.NewReader(`{"stream": true}`), 0, upstream.Events)
	f("stream, chunked body", io.MultiReader(strings.NewReader(`{"stream":`), strings.NewReader(`true}`)), 0, upstream.Events)
	if s := state(t, client, base); s.Started != 4 || s.Finished != 4 || s.Left != 0 {
		t.Errorf("state %+v", s)
	}
	for path, want := range map[string]int{"/health": 200, "/metrics": 200, "/v1/models": 200, "/none": 404} {
		resp := do(t, client, t.Context(), base+path, nil)
		if text(t, resp); resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

// TestNoticesClientsThatLeave: while it waits before an answer, and between the events of a stream.
func TestNoticesClientsThatLeave(t *testing.T) {
	base, client := serve(t)
	f := func(name, set, body string) {
		t.Run(name, func(t *testing.T) {
			text(t, do(t, client, t.Context(), base+"/set?"+set, nil))
			before := state(t, client, base)
			ctx, leave := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				req, _ := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/chat/completions", strings.NewReader(body))
				if resp, err := client.Do(req); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			}()
			for state(t, client, base).Started == before.Started {
				continue
			}
			leave()
			<-ended
			after := state(t, client, base)
			for ; after.Left == before.Left && after.Finished == before.Finished; after = state(t, client, base) {
				continue
			}
			if after.Left != before.Left+1 || after.LeftAt <= before.LeftAt {
				t.Errorf("state %+v, before %+v", after, before)
			}
		})
	}
	f("answer", "delay_ms=60000", `{}`)
	f("stream", "interval_ms=60000", `{"stream":true}`)
}
