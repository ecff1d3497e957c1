package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// errNone is vLLM's refusal of conversations where no template is known.
var errNone = &Error{"As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if the tokenizer does not define one."}

// Find reads the chat template of a Hugging Face model in a directory: chat_template.jinja, or what tokenizer_config.json
// holds. Where there is none it returns nil, which refuses to render.
func Find(dir string) (*Template, error) {
	path := filepath.Join(dir, "chat_template.jinja")
	source, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		path = filepath.Join(dir, "tokenizer_config.json")
		source, err = configured(path)
	}
	if err != nil || source == nil {
		return nil, err
	}
	t, err := Compile(string(source))
	if err != nil {
		return nil, fmt.Errorf("%s: chat template: %w", path, err)
	}
	return t, nil
}

// configured is the template of a configuration, which may have several with names; nil for none.
func configured(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var config struct {
		Template json.RawMessage `json:"chat_template"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var one *string
	if json.Unmarshal(config.Template, &one) == nil && one != nil {
		return []byte(*one), nil
	}
	var all []struct{ Name, Template string }
	_ = json.Unmarshal(config.Template, &all) // neither form: no template
	for _, t := range all {
		if t.Name == "default" {
			return []byte(t.Template), nil
		}
	}
	return nil, nil
}
