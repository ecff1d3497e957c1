package faults

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// node is a value of the rules in either notation.
type node = document.Node

// parseTree reads JSON with comments, or YAML.
func parseTree(data []byte, isYAML bool) (n *node, err error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors on Windows write a byte order mark
	switch {
	case !utf8.Valid(data):
		return nil, errors.New("not UTF-8 text")
	case isYAML:
		n, err = document.ParseYAML(data)
	default:
		n, err = document.ParseJSON(data)
	}
	if errors.Is(err, document.ErrEmpty) {
		return nil, errors.New(`no rules: there has to be at least {"rules": []}`)
	}
	return n, err
}
