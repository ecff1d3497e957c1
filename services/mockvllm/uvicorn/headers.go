package uvicorn

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

// headers makes the map that handlers know. As with net/http, Host is not in it. expect tells that the client waits for leave to
// send its body.
func headers(fields []httptools.Field, head string) (h http.Header, host string, expect bool) {
	h = make(http.Header, len(fields))
	values := make([]string, len(fields)) // one piece of memory for the values of all
	for i, f := range fields {
		name, value := f.Name.Of(head), f.Value.Of(head)
		name = cmp.Or(httpfield.Canonical(name), name) // what is no name stays as it is
		if name == "Host" {
			if host == "" {
				host = value
			}
			continue
		}
		expect = expect || name == "Expect" && strings.EqualFold(value, "100-continue")
		if given := h[name]; given != nil {
			h[name] = append(given, value)
			continue
		}
		values[i] = value
		h[name] = values[i : i+1 : i+1]
	}
	return h, host, expect
}
