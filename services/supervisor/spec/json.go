package spec

import (
	"fmt"
	"strings"

	"github.com/tailscale/hujson"
)

func parseJSON(data []byte) (*node, error) {
	if depth := nesting(data); depth > maxNesting {
		return nil, fmt.Errorf("brackets nest deeper than %d", maxNesting)
	}
	v, err := hujson.Parse(data)
	if err != nil {
		return nil, jsonError(err)
	}
	return fromJSON(v), nil
}

// maxNesting is far above what a models file needs and far below what recursion can bear.
const maxNesting = 1000

// nesting bounds the depth from above: brackets in strings and comments count too.
func nesting(data []byte) int {
	depth, deepest := 0, 0
	for _, c := range data {
		switch c {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

// jsonError words a syntax error. The parser quotes a literal that it does not know, and that may be a secret whose quotes
// were forgotten, so it is left out.
func jsonError(err error) error {
	reason := strings.TrimPrefix(err.Error(), "hujson: ")
	if at, _, ok := strings.Cut(reason, "invalid literal: "); ok {
		reason = at + "invalid literal; strings need double quotes"
	}
	return fmt.Errorf("not JSON: %s", reason)
}

func fromJSON(v hujson.Value) *node {
	switch v := v.Value.(type) {
	case *hujson.Object:
		n := &node{kind: mapping}
		for _, m := range v.Members {
			n.members = append(n.members, member{m.Name.Value.(hujson.Literal).String(), fromJSON(m.Value)})
		}
		return n
	case *hujson.Array:
		n := &node{kind: list}
		for _, e := range v.Elements {
			n.items = append(n.items, fromJSON(e))
		}
		return n
	case hujson.Literal:
		return fromLiteral(v)
	}
	return &node{} // there is no other type
}

func fromLiteral(l hujson.Literal) *node {
	switch l.Kind() {
	case 't', 'f':
		return &node{kind: boolean, text: string(l)}
	case '0':
		return &node{kind: number, text: string(l)}
	case '"':
		return &node{kind: text, text: l.String()}
	}
	return &node{kind: null}
}
