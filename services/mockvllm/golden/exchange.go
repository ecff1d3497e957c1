package golden

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Case is one exchange: a line of <group>.jsonl. A case that is still to be recorded has no answer.
type Case struct {
	Group   string    `json:"-"` // the file's name
	Name    string    `json:"name"`
	About   string    `json:"about,omitempty"`
	Server  string    `json:"server"`           // a profile of servers.json
	Before  []Request `json:"before,omitempty"` // bring the server into a state; their answers are not compared
	Request Request   `json:"request"`
	After   []Request `json:"after,omitempty"` // bring it back
	Answer  *Answer   `json:"answer,omitempty"`
}

// ID names a case among all groups.
func (c Case) ID() string { return c.Group + "/" + c.Name }

// Header is a name and its value, as spelled on the wire.
type Header [2]string

// Request is sent as it stands: nothing is added to its headers.
type Request struct {
	Method  string   `json:"method"`
	Path    string   `json:"path"`
	Headers []Header `json:"headers,omitempty"`
	Body    Body     `json:"body,omitempty"`
	Binary  []byte   `json:"body_base64,omitempty"` // instead of Body when it is no UTF-8
}

// Body is a text. In a file it may also be any JSON value, which is then the text.
type Body string

// UnmarshalJSON reads a string, or takes another value as it is written.
func (b *Body) UnmarshalJSON(text []byte) error {
	if text[0] != '"' {
		*b = Body(text)
		return nil
	}
	return json.Unmarshal(text, (*string)(b))
}

// Answer is what came back.
type Answer struct {
	StatusLine string   `json:"status_line"`
	Headers    []Header `json:"headers"` // in the order received
	Body       string   `json:"body"`
	// FramesPerChunk counts the SSE frames that end in each HTTP chunk; nil when the body was not chunked.
	FramesPerChunk []int `json:"frames_per_chunk,omitempty"`
}

// Header returns the value of a header by its lower-case name, "" when there is none.
func (a Answer) Header(name string) string {
	for _, h := range a.Headers {
		if strings.ToLower(h[0]) == name {
			return h[1]
		}
	}
	return ""
}

// Read returns the cases of one file.
func Read(file string) ([]Case, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	group := strings.TrimSuffix(filepath.Base(file), ".jsonl")
	lines := json.NewDecoder(f)
	lines.DisallowUnknownFields()
	var all []Case
	for {
		c := Case{Group: group}
		err := lines.Decode(&c)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s, case %d: %w", file, len(all)+1, err)
		}
		all = append(all, c)
	}
}

// ReadAll returns the cases of all groups in a directory, in the order of the groups' names.
func ReadAll(dir string) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	var all []Case
	seen := map[string]bool{}
	for _, file := range files {
		cases, err := Read(file)
		if err != nil {
			return nil, err
		}
		for _, c := range cases {
			if seen[c.ID()] {
				return nil, fmt.Errorf("%s: two cases are called %s", file, c.Name)
			}
			seen[c.ID()] = true
		}
		all = append(all, cases...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no cases in %s", dir)
	}
	return all, nil
}

// Write replaces a file.
func Write(file string, cases []Case) error {
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	lines.SetEscapeHTML(false)
	for _, c := range cases {
		if err := lines.Encode(c); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
	}
	return os.WriteFile(file, text.Bytes(), 0o600)
}

// Profile is how a server was started.
type Profile struct {
	Name  string            `json:"name"`
	Flags []string          `json:"flags"` // after those that all have
	Env   map[string]string `json:"env,omitempty"`
}

// ReadProfiles reads a servers.json: the arguments of `vllm serve` that all servers have, and the profiles.
func ReadProfiles(file string) (common []string, profiles []Profile, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	var servers struct {
		Common   []string
		Profiles []Profile
	}
	if err := json.Unmarshal(text, &servers); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", file, err)
	}
	return servers.Common, servers.Profiles, nil
}
