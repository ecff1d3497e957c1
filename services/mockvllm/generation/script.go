package generation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
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
	var s Script
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&s)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok { // its own text names types of Go
		err = fmt.Errorf("found %s at byte %d", wrong.Value, wrong.Offset)
	}
	if err != nil {
		return nil, fmt.Errorf("read scripted answers: %w; write a list such as %s", err, scriptExample)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read scripted answers: there is more behind the list")
	}
	if len(s) == 0 {
		return nil, errors.New("read scripted answers: the list is empty")
	}
	return s, nil
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
