package tokenizer

import (
	"embed"
	"io/fs"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer/added"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer/bpe"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer/pretokenizer"
)

//go:embed tiny
var tiny embed.FS

// Tiny is the tokenizer of the reference tiny model.
var Tiny = sync.OnceValue(func() *Tokenizer {
	dir, err := fs.Sub(tiny, "tiny")
	if err != nil {
		panic(err) // BUG: the directory is embedded above
	}
	t, err := LoadFS(dir)
	if err != nil {
		panic(err) // BUG: the files are part of the program
	}
	return t
})

// Tokenizer is one vocabulary with its rules. It is safe for concurrent use.
type Tokenizer struct {
	tokens  []token // by id; gaps have no spelling
	size    int     // tokens without the gaps
	longest int     // characters of the longest spelling

	raw, normalized added.Set // added tokens, found before and after the normalizer
	normalize       func(string) string
	stages          []pretokenizer.Stage
	model           *bpe.Model
	spellings       map[string]int32 // ids of the whole vocabulary, with the added tokens
	before, after   []int            // ids that the post-processor puts around a text

	bos, eos  int
	config    config
	described *pyjson.Object // tokenizer_config.json, nil without one
}

// token is one entry of the vocabulary.
type token struct {
	spelling string // as the vocabulary has it, "Ġthere"
	bytes    string // what it decodes to, " there"
	text     string // bytes with U+FFFD for what is no UTF-8
	whole    bool   // bytes are UTF-8 and do not end in U+FFFD
	added    string // the content of an added token
	special  bool
}

// at returns the entry of id, or an empty one for an id without a token.
func (t *Tokenizer) at(id int) *token {
	if id < 0 || id >= len(t.tokens) {
		return &token{}
	}
	return &t.tokens[id]
}

// Outside finds ids that no token has. The one that it returns is the smallest where one is negative, else the largest.
func (t *Tokenizer) Outside(ids []int) (id int, outside bool) {
	least, most := 0, 0
	for _, id := range ids {
		least, most = min(least, id), max(most, id)
	}
	if least < 0 {
		return least, true
	}
	return most, most >= t.size
}

// Known tells whether id is a token of the vocabulary.
func (t *Tokenizer) Known(id int) bool { return t.at(id).spelling != "" }

// IsSpecial tells whether id is a control token, which decoding may skip.
func (t *Tokenizer) IsSpecial(id int) bool { return t.at(id).special }

// IsAdded tells whether id stands for a text as a whole, as control tokens and marks do.
func (t *Tokenizer) IsAdded(id int) bool { return t.at(id).added != "" }

// Spelling returns how the vocabulary writes a token ("Ġthere"), or "" for an unknown id.
func (t *Tokenizer) Spelling(id int) string { return t.at(id).spelling }

// Bytes returns what a token adds to a text, nothing for an unknown id. It may be a part of a character.
func (t *Tokenizer) Bytes(id int) []byte { return []byte(t.at(id).bytes) }

// Text returns one token decoded alone, where a part of a character is U+FFFD.
func (t *Tokenizer) Text(id int) string { return t.at(id).text }

// Size is the number of tokens, added ones included. It is one more than the highest id unless ids have gaps.
func (t *Tokenizer) Size() int { return t.size }

// MaxID is the highest id of a token.
func (t *Tokenizer) MaxID() int { return len(t.tokens) - 1 }

// EOS is the id that ends an answer, or -1.
func (t *Tokenizer) EOS() int { return t.eos }

// BOS is the id that begins a text, or -1.
func (t *Tokenizer) BOS() int { return t.bos }

// LongestToken is the length of the longest spelling in characters. vLLM refuses a prompt of more than that many characters
// for each token of the context without tokenizing it (max_chars_per_token).
func (t *Tokenizer) LongestToken() int { return t.longest }

// ID returns the token with the given spelling.
func (t *Tokenizer) ID(spelling string) (id int, ok bool) {
	n, ok := t.spellings[spelling]
	return int(n), ok
}
