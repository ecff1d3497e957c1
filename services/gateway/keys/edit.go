package keys

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tailscale/hujson"
	"go.yaml.in/yaml/v3"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// Entry is a key as the file has it.
type Entry struct {
	ID   string `json:"id"` // of Key, here for the order
	Hash string `json:"hash"`
	*Key
}

// NewEntry puts a key and the hash of its secret together.
func NewEntry(k *Key, hash string) Entry { return Entry{ID: k.ID, Hash: hash, Key: k} }

// Check tells all that is wrong with an entry by itself, as Parse does of one in a file.
func (e Entry) Check() error {
	value, err := json.Marshal(e)
	if err != nil {
		return err
	}
	root, err := document.Parse("key.json", value)
	if err != nil {
		return err
	}
	p := newParser()
	p.key("key", root)
	return p.masked()
}

// Add returns the text of a file of keys with one more. An empty text is a file without keys. Comments stay; the rest may be
// laid out anew. Faults are those of Parse, for the new text.
func Add(name string, text []byte, e Entry) ([]byte, error) {
	value, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte(`{"keys": []}`) // which is YAML as well
		if document.IsYAML(name) {
			text = []byte("keys: []")
		}
	}
	if _, err := Parse(name, text); err != nil {
		return nil, err
	}
	if !document.IsYAML(name) {
		return patch(name, text, `[{"op": "add", "path": "/keys/-", "value": `+string(value)+`}]`)
	}
	return rewrite(name, text, func(list *yaml.Node) error {
		var added yaml.Node
		if err := yaml.Unmarshal(value, &added); err != nil { // JSON is YAML
			return err
		}
		relax(added.Content[0])
		if len(list.Content) == 0 {
			list.Style = 0 // from [] to a line for each
		}
		list.Content = append(list.Content, added.Content[0])
		return nil
	})
}

// Remove returns the text of a file of keys without one of them.
func Remove(name string, text []byte, id string) ([]byte, error) {
	ring, err := Parse(name, text)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(ring.keys, func(k *Key) bool { return k.ID == id })
	if at < 0 {
		return nil, fmt.Errorf("key file %s has no key %q; `fluidmcp keys check %s` lists them", name, id, name)
	}
	if !document.IsYAML(name) {
		return patch(name, text, fmt.Sprintf(`[{"op": "remove", "path": "/keys/%d"}]`, at))
	}
	return rewrite(name, text, func(list *yaml.Node) error {
		list.Content = slices.Delete(list.Content, at, at+1)
		if len(list.Content) == 0 {
			list.Style = yaml.FlowStyle // [] instead of nothing at all
		}
		return nil
	})
}

// patch changes JSON with comments by a JSON Patch (RFC 6902).
func patch(name string, text []byte, operations string) ([]byte, error) {
	v, err := hujson.Parse(text)
	if err == nil {
		err = v.Patch([]byte(operations))
	}
	if err != nil {
		return nil, fmt.Errorf("change key file %s: %w", name, err)
	}
	v.Format()
	_, err = Parse(name, v.Pack())
	return v.Pack(), err
}

// rewrite changes the list of keys of YAML.
func rewrite(name string, text []byte, change func(list *yaml.Node) error) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("change key file %s: %w", name, err)
	}
	list := root.Content[0].Content[1] // the value of keys, which is the one field there is
	if list.Kind == yaml.AliasNode {
		list = list.Alias
	}
	if err := change(list); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&root); err != nil {
		return nil, fmt.Errorf("change key file %s: %w", name, err)
	}
	_, err := Parse(name, out.Bytes())
	return out.Bytes(), err
}

// relax turns the look of JSON into that of YAML as people write it.
func relax(n *yaml.Node) {
	n.Style = 0
	if n.Kind == yaml.SequenceNode {
		n.Style = yaml.FlowStyle
	}
	for _, c := range n.Content {
		relax(c)
	}
}
