package faults

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// Load reads a Set from the text of a file: YAML when its name says so, else JSON with comments.
func Load(name string, data []byte) (Set, error) {
	return parse(name, data)
}

// Parse reads a Set from JSON. The error names all faults, one a line, each with its path.
func Parse(data []byte) (Set, error) { return parse("", data) }

func parse(name string, data []byte) (Set, error) {
	root, err := parseTree(name, data)
	if err != nil {
		return Set{}, err
	}
	var r reader
	var s Set
	r.Object("", root, document.Fields{
		"seed": func(at string, n *node) {
			if i, err := strconv.ParseInt(n.Text, 10, 64); r.Is(at, n, document.Number) && err != nil {
				r.Add(at, "%s is not a whole number of 64 bits", n.Text)
			} else {
				s.Seed = i
			}
		},
		"rules": func(at string, n *node) {
			if n.Kind == document.Null || !r.Is(at, n, document.List) {
				return
			}
			for i, item := range n.Items {
				s.Rules = append(s.Rules, r.rule(fmt.Sprintf("%s[%d]", at, i), item))
			}
		},
	})
	if err := r.Err(); err != nil {
		return Set{}, err
	}
	return s, nil
}

// Header is the name of the header that carries the Action for its own request.
const Header = "X-Mock-Fault"

// ParseHeader reads an Action in JSON or in its short form, such as "delay=1s, cut=3".
func ParseHeader(value string) (Action, error) {
	if !utf8.ValidString(value) {
		return Action{}, errors.New("not UTF-8 text")
	}
	n := &node{Kind: document.Mapping}
	if strings.HasPrefix(strings.TrimSpace(value), "{") {
		var err error
		if n, err = parseTree("", []byte(value)); err != nil {
			return Action{}, err
		}
	} else {
		for pair := range strings.SplitSeq(value, ",") {
			name, v, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if !ok {
				return Action{}, fmt.Errorf("%q: write name=value, such as delay=1s, cut=3, or JSON", pair)
			}
			n.Members = append(n.Members, document.Member{Name: name, Value: shortValue(name, v)})
		}
	}
	for _, m := range n.Members {
		if slices.Contains([]string{"rate_limit", "refuse", "shutdown"}, m.Name) {
			return Action{}, fmt.Errorf("%s is not for one request; set a rule for it with PUT /mock/faults", m.Name)
		}
	}
	var r reader
	a := r.action("", n)
	return a, r.Err()
}

func shortValue(name, v string) *node {
	if _, err := strconv.ParseFloat(v, 64); err == nil && name != "message" && name != "body" { // which are texts in any case
		return &node{Kind: document.Number, Text: v}
	}
	return &node{Kind: document.Text, Text: v}
}

func (r *reader) rule(at string, n *node) (rule Rule) {
	done := false
	r.Object(at, n, document.Fields{
		"match": func(at string, n *node) { rule.Match = r.match(at, n) },
		"do":    func(at string, n *node) { rule.Do, done = r.action(at, n), true },
	})
	if !done && n.Kind == document.Mapping {
		r.Add(at+".do", "missing; it says what happens")
	}
	server, w := rule.onServer(), rule.Match.Window
	if rule.Do.Refuse && (w == nil || w.For == 0) {
		r.Add(at+".match.window.for", "missing; while connections are refused nobody can take the rule back")
	}
	if only := (Action{Crash: rule.Do.Crash, OOM: rule.Do.OOM, Refuse: rule.Do.Refuse, Shutdown: rule.Do.Shutdown}); server && rule.Do != only {
		r.Add(at+".do", "what is done to the server as a whole does not go with what is done to a request; write two rules")
	}
	if (rule.Do.Refuse || rule.Do.Shutdown != "") && !rule.Match.anyRequest() {
		r.Add(at+".match", "refuse and shutdown are for the server as a whole; only a window goes with them")
	}
	return rule
}

func (r *reader) match(at string, n *node) (m Match) {
	r.Object(at, n, document.Fields{
		"path": func(at string, n *node) {
			if r.Text(&m.Path)(at, n); m.Path != "" && !strings.HasPrefix(m.Path, "/") {
				r.Add(at, "%q does not begin with a slash", m.Path)
			}
		},
		"model":   r.Text(&m.Model),
		"key":     r.Text(&m.Key),
		"header":  r.headers(&m.Header),
		"nth":     r.nth(&m.Nth),
		"percent": r.percent(&m.Percent),
		"window": func(at string, n *node) {
			m.Window = &Window{}
			r.Object(at, n, document.Fields{"at": r.duration(&m.Window.At, 0), "for": r.duration(&m.Window.For, 1)})
		},
	})
	return m
}

func (r *reader) headers(to *map[string]string) func(string, *node) {
	return func(at string, n *node) {
		if !r.Is(at, n, document.Mapping) {
			return
		}
		*to = map[string]string{}
		for _, m := range n.Members {
			if r.Is(at+"."+m.Name, m.Value, document.Text) {
				(*to)[http.CanonicalHeaderKey(m.Name)] = m.Value.Text
			}
		}
		if len(n.Members) == 0 {
			r.Add(at, "names no header")
		}
	}
}

// nth reads a number or a list of them.
func (r *reader) nth(to *[]int) func(string, *node) {
	return func(at string, n *node) {
		items := n.Items
		if n.Kind != document.List {
			items = []*node{n}
		} else if len(items) == 0 {
			r.Add(at, "names no request")
		}
		for _, item := range items {
			i := 0
			r.Whole(&i, 1, math.MaxInt)(at, item)
			*to = append(*to, i)
		}
	}
}

func (r *reader) percent(to **float64) func(string, *node) {
	return func(at string, n *node) {
		if n.Kind == document.Null || !r.Is(at, n, document.Number) {
			return
		}
		p, err := strconv.ParseFloat(n.Text, 64)
		if err != nil || !(p >= 0 && p <= 100) {
			r.Add(at, "%s is not within 0 and 100", n.Text)
		}
		*to = &p
	}
}
