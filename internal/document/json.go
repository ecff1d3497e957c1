package document

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/tailscale/hujson"
)

// ParseJSON reads JSON with comments and trailing commas. The error quotes nothing of the file: it may be a secret.
func ParseJSON(data []byte) (*Node, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, ErrEmpty
	}
	if nesting(data) > maxNesting {
		return nil, fmt.Errorf("brackets nest deeper than %d", maxNesting)
	}
	if last := data[bytes.LastIndexByte(data, '\n')+1:]; bytes.Contains(last, []byte("//")) {
		data = append(data[:len(data):len(data)], '\n') // which ends a comment
	}
	v, err := hujson.Parse(data)
	if err != nil {
		return nil, jsonError(err)
	}
	return fromJSON(v), nil
}

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

func fromJSON(v hujson.Value) *Node {
	switch v := v.Value.(type) {
	case *hujson.Object:
		n := &Node{Kind: Mapping}
		for _, m := range v.Members {
			n.Members = append(n.Members, Member{m.Name.Value.(hujson.Literal).String(), fromJSON(m.Value)})
		}
		return n
	case *hujson.Array:
		n := &Node{Kind: List}
		for _, e := range v.Elements {
			n.Items = append(n.Items, fromJSON(e))
		}
		return n
	case hujson.Literal:
		return fromLiteral(v)
	}
	return &Node{} // there is no other type
}

func fromLiteral(l hujson.Literal) *Node {
	switch l.Kind() {
	case 't', 'f':
		return &Node{Kind: Boolean, Text: string(l)}
	case '0':
		return &Node{Kind: Number, Text: string(l)}
	case '"':
		return &Node{Kind: Text, Text: l.String()}
	}
	return &Node{}
}
