package generation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
)

// Script are the answers of the mode File, tried in order.
type Script []Scripted

// Scripted is one answer: a JSON object {"match": "regular expression", "answer": "text"}. Without match it answers
// everything. In the answer $1 and ${name} stand for what the groups of the expression met.
type Scripted struct {
	Match  *Pattern `json:"match,omitempty"`
	Answer string   `json:"answer"`
}

// Pattern is a regular expression in Go's syntax, RE2.
type Pattern struct{ *regexp.Regexp }

// UnmarshalText compiles it.
func (p *Pattern) UnmarshalText(text []byte) (err error) {
	p.Regexp, err = regexp.Compile(string(text))
	return err
}

const scriptExample = `[{"match": "^ping$", "answer": "pong"}]`

// ParseScript reads a JSON list of scripted answers.
func ParseScript(text []byte) (Script, error) {
	var read []struct {
		Match  *Pattern `json:"match"`
		Answer *string  `json:"answer"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&read)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok { // its own text names types of Go
		err = fmt.Errorf("found %s at byte %d", wrong.Value, wrong.Offset)
	}
	if err != nil {
		return nil, fmt.Errorf("read scripted answers: %w; write a list such as %s", err, scriptExample)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read scripted answers: there is more behind the list")
	}
	if len(read) == 0 {
		return nil, errors.New("read scripted answers: the list is empty")
	}
	s := make(Script, len(read))
	for i, line := range read {
		switch {
		case line.Answer == nil:
			return nil, fmt.Errorf("read scripted answers: number %d has no answer; write \"answer\": \"\" for an empty one", i+1)
		case line.Match != nil:
			if name := line.Match.unknownGroup(*line.Answer); name != "" {
				return nil, fmt.Errorf("read scripted answers: number %d: %s has no group %s; write ${1}st where letters follow, and $$ for a dollar", i+1, line.Match, name)
			}
		}
		s[i] = Scripted{line.Match, *line.Answer}
	}
	return s, nil
}

// groups finds what stands for groups in an answer, as Regexp.Expand does.
var groups = regexp.MustCompile(`\$(?:\$|\{([\pL\pN_]+)\}|([\pL\pN_]+))`)

// unknownGroup is a name in an answer that no group has, or "".
func (p *Pattern) unknownGroup(answer string) string {
	for _, m := range groups.FindAllStringSubmatch(answer, -1) {
		name := m[1] + m[2]
		n, err := strconv.Atoi(name)
		if number := err == nil && n <= p.NumSubexp(); name != "" && !number && p.SubexpIndex(name) < 0 {
			return name
		}
	}
	return ""
}

// Answer is what the first matching line says.
func (s Script) Answer(asked string) (string, bool) {
	for _, a := range s {
		if a.Match == nil {
			return a.Answer, true
		}
		if at := a.Match.FindStringSubmatchIndex(asked); at != nil {
			return string(a.Match.ExpandString(nil, a.Answer, asked, at)), true
		}
	}
	return "", false
}
