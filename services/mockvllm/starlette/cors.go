package starlette

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
)

// corsMethods and corsHeaders are what "*" stands for, and what may always be sent.
var (
	corsMethods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY"}
	corsHeaders = []string{"Accept", "Accept-Language", "Content-Language", "Content-Type"}
)

// varies is the header of all answers, which is only read.
var varies = []string{"Origin"}

// cors says which pages of other origins may read the answers, in the way of Starlette's middleware.
type cors struct {
	cfg        config.HTTPConfig
	anyOrigin  bool
	anyHeader  bool
	methods    []string
	headers    []string // in order, with those that may always be sent
	explicitly bool     // an allowed origin is named, not "*"
}

func newCORS(cfg config.HTTPConfig) cors {
	c := cors{cfg: cfg, anyOrigin: slices.Contains(cfg.Origins, "*"), anyHeader: slices.Contains(cfg.Headers, "*"), methods: cfg.Methods}
	if slices.Contains(cfg.Methods, "*") {
		c.methods = corsMethods
	}
	c.headers = slices.Compact(slices.Sorted(slices.Values(slices.Concat(corsHeaders, cfg.Headers))))
	c.explicitly = !c.anyOrigin || cfg.Credentials
	return c
}

// CORS answers preflights before auth-free routing, and marks all other answers.
func CORS(cfg config.HTTPConfig, next http.Handler) http.Handler {
	c := newCORS(cfg)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, asks := r.Header["Access-Control-Request-Method"]
		_, foreign := r.Header["Origin"]
		if r.Method == http.MethodOptions && foreign && asks {
			c.preflight(w, r)
			return
		}
		if foreign {
			c.mark(w.Header(), r.Header.Get("Origin"))
		}
		w.Header()["Vary"] = varies
		next.ServeHTTP(w, r)
	})
}

func (c *cors) allows(origin string) bool {
	return c.anyOrigin || slices.Contains(c.cfg.Origins, origin)
}

func (c *cors) mark(h http.Header, origin string) {
	switch {
	case c.anyOrigin && !c.cfg.Credentials:
		h.Set("Access-Control-Allow-Origin", "*")
	case c.allows(origin):
		h.Set("Access-Control-Allow-Origin", origin)
	}
	if c.cfg.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
}

func (c *cors) preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network")
	h.Set("Access-Control-Allow-Methods", strings.Join(c.methods, ", "))
	h.Set("Access-Control-Max-Age", "600")
	if c.cfg.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	var failures []string
	fail := func(failed bool, what string) {
		if failed {
			failures = append(failures, what)
		}
	}
	origin := r.Header.Get("Origin")
	switch {
	case !c.allows(origin):
		fail(true, "origin")
	case c.explicitly:
		h.Set("Access-Control-Allow-Origin", origin)
	default:
		h.Set("Access-Control-Allow-Origin", "*")
	}
	fail(!slices.Contains(c.methods, r.Header.Get("Access-Control-Request-Method")), "method")
	fail(!c.takesHeaders(h, r.Header), "headers")
	_, private := r.Header["Access-Control-Request-Private-Network"]
	fail(private, "private-network")

	status, text := http.StatusOK, "OK"
	if failures != nil {
		status, text = http.StatusBadRequest, "Disallowed CORS "+strings.Join(failures, ", ")
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the client may have left
}

// takesHeaders checks the headers that a page wants to send, and says which it may.
func (c *cors) takesHeaders(h, request http.Header) bool {
	wanted, asked := request["Access-Control-Request-Headers"]
	if c.anyHeader {
		if asked {
			h.Set("Access-Control-Allow-Headers", wanted[0])
		}
		return true
	}
	h.Set("Access-Control-Allow-Headers", strings.Join(c.headers, ", "))
	if !asked {
		return true
	}
	for name := range strings.SplitSeq(wanted[0], ",") {
		name = strings.TrimSpace(name)
		if !slices.ContainsFunc(c.headers, func(allowed string) bool { return strings.EqualFold(allowed, name) }) {
			return false
		}
	}
	return true
}
