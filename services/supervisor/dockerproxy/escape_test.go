package dockerproxy_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestEscapes tries what would give more of the engine than the few calls: other calls, other spellings of them, requests within
// requests, and connections that become something else.
func TestEscapes(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("a", 200)
	refused := func(name, method, target string, lines ...string) {
		t.Helper()
		request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", method, target)
		body := ""
		for _, line := range lines {
			if text, ok := strings.CutPrefix(line, "body="); ok {
				body = text
				continue
			}
			request += line + "\r\n"
		}
		answer := r.raw(t, request+"\r\n"+body, false)
		if status := strings.Fields(answer + " none none")[1]; !slices.Contains([]string{"400", "403", "405", "501"}, status) {
			t.Errorf("%s: %s %s: %.300s", name, method, target, answer)
		}
	}
	for _, target := range []string{
		"/containers/create", "/v1.41/containers/create?name=x", "/containers/model/exec", "/exec/abc/start", "/build", "/images/json", "/images/create?fromImage=x",
		"/containers/model/archive?path=/", "/containers/model/attach?stream=1", "/containers/model/attach/ws", "/containers/model/update", "/containers/model/rename?name=x",
		"/containers/model/export", "/containers/model/top", "/containers/model/stats", "/containers/model/changes", "/containers/model/resize", "/containers/model/restart",
		"/containers/model/pause", "/containers/prune", "/containers/model", "/volumes", "/networks/create", "/secrets", "/configs", "/plugins", "/nodes", "/swarm/init",
		"/services/create", "/tasks", "/system/df", "/info", "/version", "/events", "/auth", "/commit?container=model", "/session", "/grpc", "/distribution/x/json", "/", "/metrics", "/debug/pprof/",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "HEAD"} {
			refused("another call", method, target)
		}
	}
	for _, target := range []string{
		"//containers/json", "/containers//json", "/containers/json/", "/./containers/json", "/containers/../containers/json", "/containers/model/../create", "/v1.41/../containers/create",
		"/containers/model%2fexec", "/containers/%6dodel/json", "/containers/m%6fdel/json", "/containers/..%2fcreate/json", "/containers/%2e%2e/json", "/containers/../json", "/containers/.model/json", "/containers/model/json%00",
		"/containers/model/json%3f", "/containers/model;x/json", "/containers/model/json;x=1", "/containers/model\\json", "/v1.41//containers/json", "/v1/containers/json", "/v1.1234/containers/json",
		"/v1.41/v1.41/containers/json", "/V1.41/containers/json", "/Containers/json", "/containers/model/JSON", "/containers/" + long + "/json", "/containers/mod\x01el/json", "/containers/mödel/json",
		"http://engine/containers/json", "HTTP://x/containers/create", "http://x@y/containers/json", "*", "containers/json", "",
		"/containers/json#/../create", "/containers/model/json?%2e%2e/create", "/containers/json?filters={}", "/containers/json?all=1&all=1", "/containers/json?all=0", "/containers/json?size=1",
		"/containers/json?all=%zz", "/containers/json?all=1;limit=1", "/containers/model/logs?since=x", "/containers/model/logs?tail=all", "/containers/model/logs?follow=1&details=1", "/containers/model/logs?tail=-1",
	} {
		refused("another spelling", "GET", target)
	}
	for _, target := range []string{"/containers/model/stop?t=-1", "/containers/model/stop?t=999999", "/containers/model/stop?signal=HUP", "/containers/model/kill?signal=STOP",
		"/containers/model/start?detachKeys=x", "/containers/model/start?checkpoint=x", "/containers/model/wait?condition=removed", "/containers/json", "/containers/model/json", "/_ping"} {
		refused("another parameter or method", "POST", target)
	}
	for _, method := range []string{"OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "G\x00T", "POST\t"} {
		refused("another method", method, "/containers/model/start")
	}
	const config = `{"Privileged": true, "Binds": ["/:/host"]}` // the engine of old took it at a start
	refused("a body", "POST", "/containers/model/start", "Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(config)), "body="+config)
	refused("a body in chunks", "POST", "/v1.20/containers/model/start", "Transfer-Encoding: chunked", "body=2\r\n{}\r\n0\r\n\r\n")
	refused("a body of no length", "POST", "/containers/model/start", "Transfer-Encoding: identity")
	refused("two lengths", "POST", "/containers/model/start", "Content-Length: 0", "Content-Length: 44", "body=POST /containers/create HTTP/1.1\r\nHost: x\r\n\r\n")
	refused("a length beside chunks", "POST", "/containers/model/start", "Content-Length: 4", "Transfer-Encoding: chunked", "body=0\r\n\r\n")
	refused("a length that is none", "POST", "/containers/model/start", "Content-Length: +0")
	refused("a folded line", "POST", "/containers/model/start", "X: y", " Content-Length: 5")
	refused("a space before the colon", "POST", "/containers/model/start", "Transfer-Encoding : chunked")
	refused("a bare line feed", "POST", "/containers/model/start", "X: y\nContent-Length: 5")
	refused("an upgrade", "GET", "/containers/model/logs", "Connection: Upgrade", "Upgrade: tcp")
	refused("an upgrade to HTTP/2", "GET", "/_ping", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")

	if acted := r.acted(); len(acted) > 0 {
		t.Errorf("the engine was asked %q", acted)
	}
	r.harmless(t)
}

// TestEscapesOverHTTP2 asks on a connection of the other kind that the server speaks.
func TestEscapesOverHTTP2(t *testing.T) {
	r := newRig(t)
	transport := &http.Transport{Protocols: new(http.Protocols), DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", r.socket)
	}}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	f := func(method, target, body string, want int) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://x/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.URL.Opaque = target // as it is
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s %s: %v", method, target, err)
		}
		defer resp.Body.Close()
		if resp.ProtoMajor != 2 || resp.StatusCode != want {
			t.Errorf("%s %s: %s %s", method, target, resp.Proto, resp.Status)
		}
	}
	f("GET", "/v1.41/containers/json?all=1", "", http.StatusOK)
	f("POST", "/containers/create", "", http.StatusForbidden)
	f("GET", "/containers/model%2fexec", "", http.StatusForbidden)
	f("GET", "/containers//json", "", http.StatusForbidden)
	f("POST", "/containers/model/start", `{"Privileged": true}`, http.StatusForbidden)
	f("POST", "/containers/elsewhere/start", "", http.StatusNotFound)
	if acted := r.acted(); len(acted) > 0 {
		t.Errorf("the engine was asked %q", acted)
	}
	r.harmless(t)
}

// TestWhatClientsSendGoesNoFurther sends headers that a server behind might believe.
func TestWhatClientsSendGoesNoFurther(t *testing.T) {
	r := newRig(t)
	resp, body := r.ask(t, "POST /v1.99/containers/model/start HTTP/1.1\r\nHost: evil\r\nConnection: close, X-Registry-Auth\r\n"+
		"X-Registry-Auth: x\r\nX-Original-URL: /containers/create\r\nX-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\n\r\nPOST /containers/create HTTP/1.1\r\nHost: x\r\n\r\n")
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if acted := r.acted(); len(acted) != 1 || acted[0] != "POST /v1.41/containers/"+r.box.ID+"/start" {
		t.Errorf("the engine was asked %q", acted)
	}
	// The next request of a connection is judged like the first.
	two := r.raw(t, "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\nPOST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false)
	if strings.Count(two, "HTTP/1.1 ") != 2 || !strings.Contains(two, "HTTP/1.1 403") {
		t.Errorf("two requests: %s", two)
	}
	r.harmless(t)
}

// FuzzEscape sends bytes that may hold any number of requests, and looks at what the engine is asked.
func FuzzEscape(f *testing.F) {
	for _, request := range []string{
		"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /containers/json?all=1 HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /v1.41/containers/model/start HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"POST /containers/unmarked/stop?t=1 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /containers/model/logs?stdout=1&tail=10 HTTP/1.0\r\n\r\n",
		"POST /containers/../create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		f.Add(request)
	}
	r := newRig(f)
	f.Fuzz(func(t *testing.T, request string) {
		r.raw(t, request, true)
		r.harmless(t)
		for _, asked := range r.acted() {
			if !strings.Contains(asked, r.box.ID) {
				t.Errorf("the engine was asked %q", asked)
			}
		}
	})
}
