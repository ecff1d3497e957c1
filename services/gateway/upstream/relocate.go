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
	_, at, _ := strings.Cut(httpfield.First(h, "Location"), "://")
	path, ok := strings.CutPrefix(at, out.URL.Host)
	if !ok || path != "" && !strings.ContainsRune("/?#", rune(path[0])) {
		return
	}
	// As text, because what servers take for an address is not always one that can be parsed.
	theirs, ours := beginnings(out.URL.Path, in.URL.Path)
	rest, ok := strings.CutPrefix(path, escaped(theirs))
	if !ok {
		return
	}
	h.Set("Location", out.scheme+"://"+in.Host+escaped(ours)+rest)
}

func escaped(path string) string { return (&url.URL{Path: path}).EscapedPath() }

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
