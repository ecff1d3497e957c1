package apidocs

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Kinds of servers.
const (
	Generate = "generate"
	ScaleOut = "scaleout" // Generate with --enable-scale-out
	Tokens   = "tokens"   // Generate with --tokens-only
	Embed    = "embed"
	Classify = "classify"
)

//go:embed openapi.json.gz
var packed []byte

// archive is openapi.json.gz.
type archive struct {
	Values   []json.RawMessage
	Families map[string]struct{ Paths, Schemas []entry }
}

// entry is a pair of a name and a position in the values.
type entry struct {
	name string
	at   int
}

func (e *entry) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&e.name, &e.at})
}

// Document is the body of /openapi.json for a kind of server that has the given operations, such as "GET /health".
func Document(kind string, has map[string]bool, rootPath string) ([]byte, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack openapi.json: %w", err)
	}
	var a archive
	if err := json.NewDecoder(unpacked).Decode(&a); err != nil {
		return nil, fmt.Errorf("read openapi.json: %w", err)
	}
	family, ok := a.Families[kind]
	if !ok {
		return nil, fmt.Errorf("read openapi.json: no servers of kind %s", kind)
	}
	var doc bytes.Buffer
	doc.WriteString(`{"openapi":"3.1.0","info":{"title":"FastAPI","version":"0.1.0"},"paths":{`)
	from := doc.Len()
	last := ""
	for _, e := range family.Paths {
		method, path, _ := strings.Cut(e.name, " ")
		switch {
		case !has[e.name]:
			continue
		case path == last:
			doc.Truncate(doc.Len() - 1)
			doc.WriteString(",")
		case last != "":
			doc.WriteString(",")
			fallthrough
		default:
			doc.WriteString(quoted(path) + ":{")
		}
		doc.WriteString(quoted(strings.ToLower(method)) + ":")
		doc.Write(a.Values[e.at])
		doc.WriteString("}")
		last = path
	}
	needed := reachable(doc.Bytes()[from:], family.Schemas, a.Values)
	doc.WriteString(`},"components":{"schemas":{`)
	comma := ""
	for _, e := range family.Schemas {
		if needed[e.name] {
			doc.WriteString(comma + quoted(e.name) + ":")
			doc.Write(a.Values[e.at])
			comma = ","
		}
	}
	doc.WriteString("}}")
	if rootPath != "" {
		doc.WriteString(`,"servers":[{"url":` + quoted(rootPath) + "}]")
	}
	doc.WriteString("}")
	return doc.Bytes(), nil
}

var reference = regexp.MustCompile(`"#/components/schemas/([^"]+)"`)

// reachable names the schemas that a text leads to.
func reachable(text []byte, schemas []entry, values []json.RawMessage) map[string]bool {
	at := map[string]int{}
	for _, e := range schemas {
		at[e.name] = e.at
	}
	found := map[string]bool{}
	for todo := [][]byte{text}; len(todo) > 0; {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, m := range reference.FindAllSubmatch(next, -1) {
			if name := string(m[1]); !found[name] {
				found[name] = true
				todo = append(todo, values[at[name]])
			}
		}
	}
	return found
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always can
	return string(b)
}
