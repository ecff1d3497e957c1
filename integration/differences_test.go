package integration

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/golden"
)

// exchange is a recorded request with what a model server answers, asked directly and through the gateway.
type exchange struct {
	golden.Case
	direct, gateway golden.Answer
}

// added is every header that the gateway adds to what a model server says.
var added = []struct {
	name, why string
	where     func(x exchange) bool
}{
	{"x-request-id", "it ties an answer to the lines of the log", func(exchange) bool { return true }},
	{"request-id", "the SDKs of the Messages API look for it there", func(x exchange) bool {
		return strings.HasSuffix(x.path(), "/messages") || strings.HasSuffix(x.path(), "/count_tokens")
	}},
	{"x-accel-buffering", "nginx would collect the events of a stream", func(x exchange) bool {
		return strings.HasPrefix(x.direct.Header("content-type"), "text/event-stream")
	}},
}

// difference is a kind of exchange that has another answer through the gateway.
type difference struct {
	why   string
	where func(x exchange) bool // whatever it tells does differ
	as    func(x exchange) bool // in this way
}

// differences is every kind, where one model is declared and the gateway asks for no keys or gets one. The first that an exchange
// belongs to counts. What else is the same is TestTransparency's to say: status, headers, bodies to the letter, the
// sequence of a stream's events and their chunks.
var differences = []difference{
	{"the gateway has these pages itself: its health and metrics, its reference and console, the list of all models",
		func(x exchange) bool { return ownPages.MatchString(x.path()) },
		func(x exchange) bool { return x.gateway.Header("server") != "uvicorn" }},
	{"below /llm/ stands the name of a model, so a server's --root-path /llm is no longer there",
		func(x exchange) bool {
			return strings.HasPrefix(x.path(), "/llm/") && !strings.HasPrefix(x.path(), "/llm/v1/")
		},
		func(x exchange) bool { return x.refused(http.StatusNotFound, "model_not_found") }},
	{"the gateway, not the server, asks clients for keys; it has the server's from the models file",
		func(x exchange) bool { return x.direct.Status() == http.StatusUnauthorized },
		func(x exchange) bool {
			return x.gateway.Status() != http.StatusUnauthorized && x.gateway.Header("server") == "uvicorn"
		}},
	{"text in another encoding may be read by Python and cannot be here, so nobody would know what it asks for",
		func(x exchange) bool {
			return otherEncoding(x.body()) && x.isJSON() && x.path() != "/scale_elastic_ep" // which is passed on unread
		},
		func(x exchange) bool { return x.refused(http.StatusBadRequest, "invalid_json") }},
	{"of a model that is named twice one reader may take the first and another the last",
		func(x exchange) bool { return countMember(x.body(), "model") > 1 },
		func(x exchange) bool { return x.refused(http.StatusBadRequest, "duplicate_model") }},
	{"an id that could not stand in a log or a URL as it is gets replaced",
		func(x exchange) bool {
			id, sent := x.header("x-request-id")
			return sent && !plainID.MatchString(id)
		},
		func(x exchange) bool { return x.gateway.Status() == x.direct.Status() }},
	{"pages of which origins may call is the gateway's to say, whatever a server lets them",
		func(x exchange) bool {
			_, sent := x.header("origin")
			return sent && (x.direct.Header("access-control-allow-origin") != "" || x.direct.Header("vary") != "")
		},
		func(x exchange) bool { return x.gateway.Header("access-control-allow-origin") == "" }},
	{"a fragment is no part of what a request can ask for (RFC 9112, section 3.2); uvicorn cuts it off",
		func(x exchange) bool { return strings.Contains(x.Request.Path, "#") },
		func(x exchange) bool { return x.gateway.Status() == http.StatusNotFound }},
	{"bytes after the announced end are another request; uvicorn has read them with the first and refuses both",
		func(x exchange) bool {
			length, _ := x.header("content-length")
			n, err := strconv.Atoi(length)
			return err == nil && n < len(x.body())
		},
		func(x exchange) bool { return x.direct.Body == "Invalid HTTP request received." }},
}

var (
	ownPages = regexp.MustCompile(`^/(health|metrics|openapi\.json|docs(/.*)?|(llm/)?v1/models(/.*)?)?$`)
	plainID  = regexp.MustCompile(`^[0-9A-Za-z_.:-]{1,128}$`)
)

func (x exchange) path() string {
	path, _, _ := strings.Cut(x.Request.Path, "?")
	return path
}

func (x exchange) body() string {
	if x.Request.Binary != nil {
		return string(x.Request.Binary)
	}
	return string(x.Request.Body)
}

// otherEncoding tells a text that is not in UTF-8: in UTF-16 or UTF-32, the first character of JSON has bytes that are 0 (RFC 4627, section 3).
func otherEncoding(text string) bool {
	return !utf8.ValidString(text) || strings.Contains(text[:min(2, len(text))], "\x00")
}

func (x exchange) header(name string) (value string, sent bool) {
	i := slices.IndexFunc(x.Request.Headers, func(h golden.Header) bool { return strings.EqualFold(h[0], name) })
	if i < 0 {
		return "", false
	}
	return x.Request.Headers[i][1], true
}

func (x exchange) isJSON() bool {
	media, _ := x.header("content-type")
	return strings.HasPrefix(media, "application/json")
}

// refused tells whether the gateway refused the request itself.
func (x exchange) refused(status int, code string) bool {
	var e struct{ Error struct{ Code any } }
	return json.Unmarshal([]byte(x.gateway.Body), &e) == nil && x.gateway.Status() == status && e.Error.Code == code
}

// countMember tells how often an object has a member.
func countMember(object, name string) (n int) {
	in := json.NewDecoder(strings.NewReader(object))
	if brace, err := in.Token(); err != nil || brace != json.Delim('{') {
		return 0
	}
	for in.More() {
		key, err := in.Token()
		if err != nil {
			return n
		}
		if key == name {
			n++
		}
		var value json.RawMessage
		if in.Decode(&value) != nil {
			return n
		}
	}
	return n
}
