package upstream

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
)

// Relocate turns a redirect to the backend's own address, which its clients cannot reach, into one to where the client has asked.
// vLLM sends such redirects for paths with a slash too many, made from the Host that it was asked by. in is the client's
// request, out what NewRequest made of it.
func Relocate(h http.Header, in *http.Request, out *Request) {
	location := httpfield.First(h, "Location")
	if location == "" {
		return
	}
	to, err := url.Parse(location)
	if err != nil || to.Host == "" || to.Host != out.URL.Host {
		return
	}
	theirs, ours := beginnings(out.URL.Path, in.URL.Path)
	rest, ok := strings.CutPrefix(to.Path, theirs)
	if !ok {
		return
	}
	to.Scheme, to.Host = out.scheme, in.Host
	to.Path, to.RawPath = ours+rest, ""
	h.Set("Location", to.String())
}

// beginnings returns what two paths have before what they end with in common, in whole segments.
func beginnings(a, b string) (string, string) {
	for {
		i, j := strings.LastIndexByte(a, '/'), strings.LastIndexByte(b, '/')
		if i < 0 || j < 0 || a[i:] != b[j:] {
			return a, b
		}
		a, b = a[:i], b[:j]
	}
}
