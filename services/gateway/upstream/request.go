package upstream

import (
	"context"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/secret"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/wire"
)

// private tells which headers end at the gateway: the client's credentials, what belongs to one connection (RFC 9110,
// 7.6.1), what is set anew, Accept-Encoding, because compressed frames cannot be read, and what a browser asks for a page of another
// origin: that is the gateway's to answer.
func private(name string) bool {
	switch name {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings", "Expect",
		"Proxy-Authenticate", "Cookie",
		"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers", "Access-Control-Request-Private-Network",
		"Accept-Encoding", "Content-Length", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip":
		return true
	}
	return slices.Contains(secret.Headers[:], name)
}

// Target is where a request goes.
type Target struct {
	Base   *url.URL // of the backend, without the API version
	Path   string   // below the base, decoded: /v1/chat/completions
	APIKey string   // sent as bearer token when set
	Scheme string   // by which the client has asked: http or https
}

// Request is the backend's version of a client's request. It has no header of its own: what it has of the client's, and what is
// added, is decided while it is written.
type Request struct {
	http.Request

	header     http.Header // the client's
	connection []string    // of it
	without    string      // a name of it that is left out
	scheme     string      // by which the client has asked
	own        []wire.Field
	room       [4]wire.Field // of own
	url        url.URL
	raw        []byte // the body, unless it is that of the http.Request
}

// NewRequest builds the backend's version of the client's request in. ctx bounds it; body replaces the client's. in must not change
// until it was sent. A key in the query stays here, too: servers log the URLs that they are asked for.
func NewRequest(ctx context.Context, in *http.Request, to Target, body []byte) *Request {
	r := &Request{header: in.Header, connection: in.Header["Connection"], scheme: to.Scheme, url: *to.Base}
	r.Request = *(&http.Request{Method: in.Method, URL: &r.url, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: to.Base.Host}).WithContext(ctx)
	r.url.Path = strings.TrimSuffix(to.Base.Path, "/") + to.Path
	r.url.RawPath = ""
	r.url.RawQuery = secret.WithoutKeys(in.URL.RawQuery)
	r.raw = body
	r.setOwn(in, to)
	return r
}

// Without leaves a field of the client's header out, by its canonical name.
func (r *Request) Without(name string) { r.without = name }

// setOwn sets what the gateway itself says: the backend's key, and who the client is. What the client claims about that is
// not passed on.
func (r *Request) setOwn(in *http.Request, to Target) {
	r.own = append(r.room[:0], wire.Field{Name: "X-Forwarded-Host", Value: in.Host}, wire.Field{Name: "X-Forwarded-Proto", Value: to.Scheme})
	if host, _, err := net.SplitHostPort(in.RemoteAddr); err == nil {
		r.own = append(r.own, wire.Field{Name: "X-Forwarded-For", Value: host})
	}
	if to.APIKey != "" {
		r.own = append(r.own, wire.Field{Name: "Authorization", Value: "Bearer " + to.APIKey})
	}
}

// drops tells which fields of the client's header do not go to the backend.
func (r *Request) drops(name string) bool {
	if private(name) || name == r.without {
		return true
	}
	if name == "Content-Type" || name == "X-Request-Id" { // never of one connection, and what is looked at here has to be what the server sees
		return false
	}
	for _, list := range r.connection {
		for named := range strings.SplitSeq(list, ",") {
			if http.CanonicalHeaderKey(textproto.TrimString(named)) == name {
				return true
			}
		}
	}
	return false
}

// DropHopByHop removes the headers of an answer that concern one connection only, those that Connection names included, and those by
// which a server lets pages of any origin read it: whose pages may is the gateway's to say.
func DropHopByHop(h http.Header) {
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			h.Del(textproto.TrimString(name))
		}
	}
	for name := range h {
		switch name {
		case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
			"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials":
			delete(h, name)
		}
	}
}
