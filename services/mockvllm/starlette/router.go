package starlette

import (
	"net"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

// Route is one line of a table. A path may have {names}; handlers read them with PathValue.
type Route struct {
	Methods, Path string // methods as an Allow header lists them
	Handler       http.HandlerFunc
	Kind          Kind
}

// Kind says what else happens to a request.
type Kind struct {
	Generates bool // fault rules without a path apply
	Loads     bool // /load counts it while it runs
	Own       bool // vLLM has no such path
}

// Router finds the route of a request as Starlette does: the first one whose path and method match; with a path alone, the
// first one names the methods that are allowed.
type Router struct {
	routes []Route
	mounts []Mount
	fixed  map[string][]*Route // by path
	named  []*Route            // with {names}
}

// Mount takes what no route does and whose path begins with these characters, by any method.
type Mount struct {
	Prefix  string
	Handler http.HandlerFunc
}

// NewRouter makes the router of some routes, the first of which win.
func NewRouter(routes []Route, mounts ...Mount) *Router {
	t := &Router{routes: routes, mounts: mounts, fixed: map[string][]*Route{}}
	for i := range routes {
		rt := &routes[i]
		if strings.Contains(rt.Path, "{") {
			t.named = append(t.named, rt)
		} else {
			t.fixed[rt.Path] = nil
		}
	}
	for path := range t.fixed {
		for i := range routes {
			if _, ok := pathValues(routes[i].Path, path); ok {
				t.fixed[path] = append(t.fixed[path], &routes[i])
			}
		}
	}
	return t
}

// find returns the routes of a path.
func (t *Router) find(path string) []*Route {
	if fixed := t.fixed[path]; fixed != nil {
		return fixed
	}
	var found []*Route
	for _, rt := range t.named {
		if _, ok := pathValues(rt.Path, path); ok {
			found = append(found, rt)
		}
	}
	return found
}

// pathValues reads the {names} of a template, in order. They never hold a slash, and are never empty.
func pathValues(template, path string) (values []string, ok bool) {
	for {
		before, rest, named := strings.Cut(template, "{")
		switch {
		case !named && path == template:
			return values, true
		case !named || !strings.HasPrefix(path, before):
			return nil, false
		}
		path = path[len(before):]
		_, template, _ = strings.Cut(rest, "}")
		end := strings.IndexByte(path, '/')
		if end < 0 {
			end = len(path)
		}
		if end == 0 {
			return nil, false
		}
		values, path = append(values, path[:end]), path[end:]
	}
}

func (rt *Route) allows(method string) bool {
	if rt.Methods == method { // as with most
		return true
	}
	for m := range strings.SplitSeq(rt.Methods, ", ") {
		if m == method {
			return true
		}
	}
	return false
}

// Route returns the route that takes a request, or nil.
func (t *Router) Route(r *http.Request) *Route {
	return taking(t.find(r.URL.Path), r.Method)
}

// taking is the first of the routes of a path that takes a method, or nil.
func taking(found []*Route, method string) *Route {
	for _, rt := range found {
		if rt.allows(method) {
			return rt
		}
	}
	return nil
}

// ServeHTTP is for http.Handler.
func (t *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.handler(r)(w, r) }

// handler is what answers a request.
func (t *Router) handler(r *http.Request) http.HandlerFunc {
	found := t.find(r.URL.Path)
	rt := taking(found, r.Method)
	if rt == nil {
		for _, m := range t.mounts {
			if strings.HasPrefix(r.URL.Path, m.Prefix) {
				return m.Handler
			}
		}
	}
	if len(found) == 0 {
		return t.unknownPath
	}
	if rt == nil {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", allowed(found))
			fastapi.Detail(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		}
	}
	if values, _ := pathValues(rt.Path, r.URL.Path); values != nil {
		for i, part := range strings.Split(rt.Path, "{")[1:] {
			name, _, _ := strings.Cut(part, "}")
			r.SetPathValue(name, values[i])
		}
	}
	return rt.Handler
}

// allowed is what the first route of a path takes. Where vLLM has no path, all methods are named.
func allowed(routes []*Route) string {
	if !routes[0].Kind.Own {
		return routes[0].Methods
	}
	var all []string
	for _, rt := range routes {
		all = append(all, rt.Methods)
	}
	return strings.Join(all, ", ")
}

// unknownPath redirects a known path with slashes too many, and knows no other.
func (t *Router) unknownPath(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimRight(r.URL.Path, "/")
	if path == r.URL.Path || len(t.find(path)) == 0 {
		fastapi.Detail(w, http.StatusNotFound, "Not Found")
		return
	}
	target := scheme(r) + "://" + host(r) + originalPath(r, path)
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", httptools.Escape(target, urlCharacters))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// urlCharacters are what RedirectResponse leaves as it is: what a URL is made of, and percent signs.
const urlCharacters = ":/%#?=@[]!$&'()*+,;"

// scheme believes a proxy on this machine, as uvicorn does.
func scheme(r *http.Request) string {
	proto := strings.TrimSpace(r.Header.Get("X-Forwarded-Proto"))
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if host == "127.0.0.1" && (proto == "http" || proto == "https") {
		return proto
	}
	return "http"
}

// Template is the path of the route that takes a request, "" for none. A redirect to such a route keeps its slash.
func (t *Router) Template(r *http.Request, status int) string {
	if status == http.StatusTemporaryRedirect {
		for _, rt := range t.find(strings.TrimRight(r.URL.Path, "/")) {
			if rt.allows(r.Method) {
				return originalPath(r, r.URL.Path)
			}
		}
		return ""
	}
	if rt := t.Route(r); rt != nil {
		return rt.Path
	}
	return ""
}

// Generates are the methods and paths that answer with a model's words.
func (t *Router) Generates() map[string]bool {
	set := map[string]bool{}
	for _, rt := range t.routes {
		set[rt.Methods+" "+rt.Path] = rt.Kind.Generates
	}
	return set
}
