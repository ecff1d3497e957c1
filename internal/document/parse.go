package document

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// IsYAML tells by the name of a file whether it is YAML.
func IsYAML(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}

// Parse reads a file: YAML when its name says so, JSON with comments otherwise.
func Parse(name string, data []byte) (*Node, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors on Windows write a byte order mark
	switch {
	case !utf8.Valid(data):
		return nil, errors.New("not UTF-8 text")
	case IsYAML(name):
		return ParseYAML(data)
	}
	return ParseJSON(data)
}
