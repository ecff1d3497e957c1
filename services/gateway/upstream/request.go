package upstream

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// private headers end at the gateway: the client's credentials, what belongs to one connection (RFC 9110, 7.6.1), what
// is set anew, and Accept-Encoding, because compressed frames cannot be read.
var private = []string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings", "Expect",
	"Authorization", "Proxy-Authorization", "X-Api-Key", "Api-Key", "Cookie",
	"Accept-Encoding", "Content-Length", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
}

// Target is where a request goes.
type Target struct {
	Base   *url.URL // of the backend, without the API version
	Path   string   // below the base, decoded: /v1/chat/completions
	APIKey string   // sent as bearer token when set
}

// NewRequest builds the backend's version of the client's request in. ctx bounds it; body replaces the client's.
func NewRequest(ctx context.Context, in *http.Request, to Target, body []byte) (*http.Request, error) {
	where := *to.Base
	where.Path = strings.TrimSuffix(where.Path, "/") + to.Path
	where.RawPath = ""
	where.RawQuery = in.URL.RawQuery
	out, err := http.NewRequestWithContext(ctx, in.Method, where.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("build request to %s: %w", to.Base, err)
	}
	out.Header = in.Header.Clone()
	DropHopByHop(out.Header)
	for _, name := range private {
		out.Header.Del(name)
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header.Set("User-Agent", "") // or the transport would name itself
	}
	if to.APIKey != "" {
		out.Header.Set("Authorization", "Bearer "+to.APIKey)
	}
	forwarded(out.Header, in)
	// A request on a kept connection that the server was just closing is sent again by the transport. The empty key
	// tells it that this is safe and is not sent (see http.Transport).
	if _, ok := out.Header["X-Idempotency-Key"]; !ok {
		out.Header["X-Idempotency-Key"] = nil
	}
	return out, nil
}

// forwarded tells the backend about the client. What the client itself claims is not passed on.
func forwarded(h http.Header, in *http.Request) {
	if host, _, err := net.SplitHostPort(in.RemoteAddr); err == nil {
		h.Set("X-Forwarded-For", host)
	}
	h.Set("X-Forwarded-Host", in.Host)
	h.Set("X-Forwarded-Proto", "http")
	if in.TLS != nil {
		h.Set("X-Forwarded-Proto", "https")
	}
}

// DropHopByHop removes the headers that concern one connection only, those that Connection names included.
func DropHopByHop(h http.Header) {
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			h.Del(textproto.TrimString(name))
		}
	}
	for _, name := range []string{"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade"} {
		h.Del(name)
	}
}
