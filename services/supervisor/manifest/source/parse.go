package source

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// parseTree reads YAML when the name says so and JSON with comments otherwise.
func parseTree(name string, data []byte) (*document.Node, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors on Windows write a byte order mark
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New(`the file is empty: it needs at least {"llmModels": {...}}`)
	}
	if !utf8.Valid(data) {
		line, column := position(data, invalidUTF8(data))
		return nil, fmt.Errorf("line %d, column %d: not UTF-8 text", line, column)
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml":
		n, err := document.ParseYAML(data)
		if errors.Is(err, document.ErrEmpty) { // nothing but comments
			return nil, errors.New("the file is empty: it needs at least llmModels")
		}
		return n, err
	}
	return document.ParseJSON(data)
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// position turns an offset into a line and a column in bytes, both from 1.
func position(data []byte, offset int) (line, column int) {
	before := data[:offset]
	return 1 + bytes.Count(before, []byte("\n")), offset - bytes.LastIndexByte(before, '\n')
}
