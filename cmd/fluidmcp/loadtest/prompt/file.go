package prompt

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Load reads prompts from a file of JSON lines. Each is an object with a prompt or with messages; other fields of a request
// body may stand beside them. The requests take the lines in turn, from the first one on.
func Load(path string, opts Options) (*Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := read(f, opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func read(r io.Reader, opts Options) (*Source, error) {
	s := &Source{opts: opts}
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			if err := s.add(line); err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
		}
		if err != nil {
			break
		}
	}
	if s.lines == nil {
		return nil, errors.New(`no prompts; each line is an object such as {"prompt": "Hello"}`)
	}
	return s, nil
}

func (s *Source) add(line []byte) error {
	var body map[string]json.RawMessage
	if err := json.Unmarshal(line, &body); err != nil {
		return fmt.Errorf(`not an object such as {"prompt": "Hello"}: %w`, err)
	}
	prompt, messages := body["prompt"] != nil, body["messages"] != nil
	switch {
	case prompt == messages:
		return errors.New("needs either prompt or messages")
	case messages && !s.opts.Chat:
		return errors.New("has messages, which only --endpoint chat takes")
	case prompt && s.opts.Chat:
		var text string
		if err := json.Unmarshal(body["prompt"], &text); err != nil {
			return fmt.Errorf("the prompt of a chat is a string: %w", err)
		}
		delete(body, "prompt")
		messages, err := json.Marshal([]map[string]string{{"role": "user", "content": text}})
		if err != nil {
			return err
		}
		body["messages"] = messages
	}
	s.lines = append(s.lines, body)
	return nil
}
