package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer/added"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer/bpe"
)

// Load reads tokenizer.json from a directory, and tokenizer_config.json when it is there. An error names the part that is
// not supported.
func Load(dir string) (*Tokenizer, error) { return LoadFS(os.DirFS(dir)) }

// LoadFS is Load from a file system.
func LoadFS(dir fs.FS) (*Tokenizer, error) {
	var f file
	if err := readJSON(dir, "tokenizer.json", &f); err != nil {
		return nil, err
	}
	t := &Tokenizer{bos: -1, eos: -1}
	const name = "tokenizer_config.json"
	err := readJSON(dir, name, &t.config)
	if err == nil {
		err = readObject(dir, name, &t.described)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := t.build(&f); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	return t, nil
}

func readJSON(dir fs.FS, name string, into any) error {
	data, err := fs.ReadFile(dir, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// readObject reads a file that is to be shown again, in its order.
func readObject(dir fs.FS, name string, into **pyjson.Object) error {
	data, err := fs.ReadFile(dir, name)
	if err != nil {
		return err
	}
	v, err := pyjson.Decode(data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	*into, _ = v.(*pyjson.Object)
	return nil
}

// file is tokenizer.json.
type file struct {
	AddedTokens   []added.Token    `json:"added_tokens"`
	Normalizer    *component       `json:"normalizer"`
	PreTokenizer  *component       `json:"pre_tokenizer"`
	PostProcessor *component       `json:"post_processor"`
	Decoder       *component       `json:"decoder"`
	Model         modelDescription `json:"model"`
}

type modelDescription struct {
	Type                    string          `json:"type"`
	Vocab                   json.RawMessage `json:"vocab"`
	Merges                  []mergePair     `json:"merges"`
	UnkToken                *string         `json:"unk_token"`
	Dropout                 *float64        `json:"dropout"`
	ContinuingSubwordPrefix string          `json:"continuing_subword_prefix"`
	EndOfWordSuffix         string          `json:"end_of_word_suffix"`
	ByteFallback            bool            `json:"byte_fallback"`
	IgnoreMerges            bool            `json:"ignore_merges"`
}

func (t *Tokenizer) build(f *file) error {
	var err error
	if t.spellings, err = f.Model.check(); err != nil {
		return err
	}
	if t.model, err = bpe.New(t.spellings, f.Model.Merges, f.Model.IgnoreMerges); err != nil {
		return err
	}
	if err := checkDecoder(f.Decoder); err != nil {
		return err
	}
	if t.normalize, err = normalizer(f.Normalizer); err != nil {
		return err
	}
	if t.stages, err = preTokenizer(f.PreTokenizer); err != nil {
		return err
	}
	if err := t.fill(t.addedTokens(f.AddedTokens)); err != nil {
		return err
	}
	if err := t.postProcessor(f.PostProcessor); err != nil {
		return err
	}
	t.nameControls()
	return nil
}

// check returns the vocabulary of a model that is supported.
func (m *modelDescription) check() (vocab map[string]int32, err error) {
	if m.Type != "BPE" && (m.Type != "" || m.Merges == nil) { // old files do not say the type
		return nil, fmt.Errorf("model type %q is not supported, only byte-level BPE is", m.Type)
	}
	for what, set := range map[string]bool{
		"byte_fallback": m.ByteFallback, "dropout": m.Dropout != nil && *m.Dropout != 0,
		"continuing_subword_prefix": m.ContinuingSubwordPrefix != "", "end_of_word_suffix": m.EndOfWordSuffix != "",
	} {
		if set {
			return nil, fmt.Errorf("model with %s is not supported", what)
		}
	}
	if err := json.Unmarshal(m.Vocab, &vocab); err != nil {
		return nil, fmt.Errorf("model.vocab: %w", err)
	}
	for spelling, id := range vocab {
		if id < 0 || id > maxID {
			return nil, fmt.Errorf("model.vocab: token %q has id %d", spelling, id)
		}
	}
	return vocab, nil
}

// mergePair is one rule, written "a b" or ["a", "b"].
type mergePair [2]string

func (m *mergePair) UnmarshalJSON(data []byte) error {
	if data[0] != '"' {
		var parts []string
		if err := json.Unmarshal(data, &parts); err != nil || len(parts) != 2 {
			return fmt.Errorf("a merge is two tokens, not %.60s", data)
		}
		*m = mergePair(parts)
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	left, right, ok := strings.Cut(s, " ")
	if !ok || strings.Contains(right, " ") {
		return fmt.Errorf("a merge is two tokens, not %.60q", s)
	}
	*m = mergePair{left, right}
	return nil
}

// maxID bounds the memory that a file with a wild id can ask for.
const maxID = 1 << 24

// fill makes the table by id.
func (t *Tokenizer) fill(list []added.Token) error {
	highest := -1
	for _, id := range t.spellings {
		highest = max(highest, int(id))
	}
	for _, a := range list {
		if a.ID < 0 || a.ID > maxID {
			return fmt.Errorf("added_tokens: %q has id %d", a.Content, a.ID)
		}
		highest = max(highest, a.ID)
	}
	t.tokens = make([]token, highest+1)
	for spelling, id := range t.spellings {
		text, ok := bpe.Bytes(spelling)
		if !ok {
			text = spelling
		}
		t.tokens[id] = token{spelling: spelling, bytes: text}
	}
	for i := range list {
		t.add(&list[i])
	}
	for i := range t.tokens {
		tok := &t.tokens[i]
		tok.text = lossy(tok.bytes)
		tok.whole = tok.text == tok.bytes && !broken(tok.bytes)
		t.longest = max(t.longest, utf8.RuneCountInString(tok.spelling))
		if tok.spelling != "" {
			t.size++
		}
	}
	return nil
}

// add puts an added token into the table and where texts are searched for it. One that is looked for in the normalized text
// is spelled so, too.
func (t *Tokenizer) add(a *added.Token) {
	content, where := a.Content, &t.raw
	if a.Normalized {
		where = &t.normalized
		if t.normalize != nil {
			content = t.normalize(content)
		}
	}
	text, ok := bpe.Bytes(content)
	if !ok {
		text = content
	}
	t.tokens[a.ID] = token{spelling: content, bytes: text, added: a.Content, special: a.Special}
	t.spellings[a.Content] = int32(a.ID)
	where.Add(content, a)
}
