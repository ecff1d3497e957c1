package upstream

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/secret"
)

// private tells which headers end at the gateway: the client's credentials, what belongs to one connection (RFC 9110,
// 7.6.1), what is set anew, and Accept-Encoding, because compressed frames cannot be read.
func private(name string) bool {
	switch name {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings", "Expect",
		"Authorization", "Proxy-Authorization", "Proxy-Authenticate", "X-Api-Key", "Api-Key", "Cookie",
		"Accept-Encoding", "Content-Length", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip":
		return true
	}
	return false
}

// Target is where a request goes.
type Target struct {
	Base   *url.URL // of the backend, without the API version
	Path   string   // below the base, decoded: /v1/chat/completions
	APIKey string   // sent as bearer token when set
	Scheme string   // by which the client has asked: http or https
}

// NewRequest builds the backend's version of the client's request in. ctx bounds it; body replaces the client's. The values
// of headers are shared with in. A key in the query stays here, too: servers log the URLs that they are asked for.
func NewRequest(ctx context.Context, in *http.Request, to Target, body []byte) *http.Request {
	of := &parts{url: *to.Base, own: [...]string{in.Host, to.Scheme, "", ""}}
	of.request = *(&http.Request{Method: in.Method, URL: &of.url, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: to.Base.Host,
		Header: make(http.Header, len(in.Header)+len(of.own))}).WithContext(ctx)
	out := &of.request
	out.URL.Path = strings.TrimSuffix(to.Base.Path, "/") + to.Path
	out.URL.RawPath = ""
	out.URL.RawQuery = secret.WithoutKeys(in.URL.RawQuery)
	if len(body) > 0 {
		out.ContentLength = int64(len(body))
		out.Body, out.GetBody = of.body.of(body), func() (io.ReadCloser, error) { return new(payload).of(body), nil }
	}
	for name, values := range in.Header {
		if !private(name) {
			out.Header[name] = values
		}
	}
	dropNamed(out.Header, in.Header["Connection"])
	of.setOwn(out.Header, in, to)
	return out
}

// parts are what a request to a backend consists of, in one piece of memory.
type parts struct {
	request http.Request
	url     url.URL
	own     [4]string // values of headers
	body    payload
}

// payload is a body that lies in memory.
type payload struct{ bytes.Reader }

func (*payload) Close() error { return nil }

func (p *payload) of(body []byte) io.ReadCloser {
	p.Reset(body)
	return p
}

// setOwn sets what the gateway itself says: the backend's key, and who the client is. What the client claims about that is
// not passed on.
func (of *parts) setOwn(h http.Header, in *http.Request, to Target) {
	h["X-Forwarded-Host"] = of.own[0:1:1]
	h["X-Forwarded-Proto"] = of.own[1:2:2]
	if host, _, err := net.SplitHostPort(in.RemoteAddr); err == nil {
		of.own[2] = host
		h["X-Forwarded-For"] = of.own[2:3:3]
	}
	if to.APIKey != "" {
		of.own[3] = "Bearer " + to.APIKey
		h["Authorization"] = of.own[3:4:4]
	}
}

// DropHopByHop removes the headers that concern one connection only, those that Connection names included.
func DropHopByHop(h http.Header) {
	dropNamed(h, h["Connection"])
	for name := range h {
		switch name {
		case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
			delete(h, name)
		}
	}
}

// dropNamed removes the headers that a Connection header names.
func dropNamed(h http.Header, connection []string) {
	for _, list := range connection {
		for name := range strings.SplitSeq(list, ",") {
			h.Del(textproto.TrimString(name))
		}
	}
}
