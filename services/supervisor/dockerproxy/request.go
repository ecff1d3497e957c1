package dockerproxy

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// verb is what a call does.
type verb string

// The calls that are let through. There is none that creates, runs something in a container, copies, builds or attaches.
const (
	ping    verb = "_ping"
	list    verb = "list"
	inspect verb = "json"
	start   verb = "start"
	stop    verb = "stop"
	kill    verb = "kill"
	wait    verb = "wait"
	logs    verb = "logs"
)

// call is a request that was understood.
type call struct {
	verb  verb
	id    string // or name of the container, as the client says; not yet known to be one of ours
	query url.Values
}

var (
	// target is every path that is let through, as it stands in the request line: nothing is decoded, cleaned or shortened before. The
	// version of the API is the engine's and the proxy's affair.
	target = regexp.MustCompile(`^(?:/v1\.[0-9]{1,3})?/(?:_ping|containers/json|containers/([A-Za-z0-9][A-Za-z0-9_.-]{0,127})/(json|start|stop|kill|wait|logs))$`)

	yes     = regexp.MustCompile(`^(?:1|true)$`)
	number  = regexp.MustCompile(`^[0-9]{1,5}$`)
	moment  = regexp.MustCompile(`^[0-9]{1,12}(?:\.[0-9]{1,9})?$`)
	stopped = regexp.MustCompile(`^not-running$`)
)

// rules are method and query of each call: every parameter that may be given, and what its value may look like.
var rules = map[verb]struct {
	method string
	query  map[string]*regexp.Regexp
}{
	ping:    {http.MethodGet, nil},
	list:    {http.MethodGet, map[string]*regexp.Regexp{"all": yes}},
	inspect: {http.MethodGet, nil},
	start:   {http.MethodPost, nil},
	stop:    {http.MethodPost, map[string]*regexp.Regexp{"t": number}},
	kill:    {http.MethodPost, nil},
	wait:    {http.MethodPost, map[string]*regexp.Regexp{"condition": stopped}},
	logs:    {http.MethodGet, map[string]*regexp.Regexp{"stdout": yes, "stderr": yes, "follow": yes, "tail": number, "since": moment}},
}

// parse understands a request, or says what is wrong with it. The answer to what it refuses is always 403.
func parse(r *http.Request) (call, error) {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	found := target.FindStringSubmatch(path)
	if found == nil {
		return call{}, fmt.Errorf("%.200q is not among the calls that this proxy lets through", path)
	}
	c := call{verb: verb(found[2]), id: found[1]}
	switch {
	case c.verb != "":
	case strings.HasSuffix(path, "/_ping"):
		c.verb = ping
	default:
		c.verb = list
	}
	if rule := rules[c.verb]; r.Method != rule.method {
		return call{}, fmt.Errorf("%.20q is not the method of %s, which is %s", r.Method, c.verb, rule.method)
	}
	if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
		return call{}, fmt.Errorf("%s takes no body", c.verb) // the engine takes a configuration in that of start
	}
	if r.Header.Get("Upgrade") != "" {
		return call{}, fmt.Errorf("a connection cannot be upgraded here")
	}
	var err error
	c.query, err = checkQuery(c.verb, query)
	return c, err
}

func checkQuery(v verb, raw string) (url.Values, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fmt.Errorf("the query cannot be read: %w", err)
	}
	for name, values := range query {
		form, known := rules[v].query[name]
		switch {
		case !known:
			return nil, fmt.Errorf("the parameter %.50q of %s is not let through", name, v)
		case len(values) != 1:
			return nil, fmt.Errorf("the parameter %s is given %d times", name, len(values))
		case !form.MatchString(values[0]):
			return nil, fmt.Errorf("the parameter %s is not let through as %.50q", name, values[0])
		}
	}
	return query, nil
}
