package tokenizer

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer/added"
)

// config is what tokenizer_config.json says about control tokens.
type config struct {
	BOS          tokenName           `json:"bos_token"`
	EOS          tokenName           `json:"eos_token"`
	UNK          tokenName           `json:"unk_token"`
	Pad          tokenName           `json:"pad_token"`
	Additional   []tokenName         `json:"additional_special_tokens"`
	AddBOS       *bool               `json:"add_bos_token"`
	AddEOS       *bool               `json:"add_eos_token"`
	AddedDecoder map[int]added.Token `json:"added_tokens_decoder"`
}

// tokenName is a token by its content, written as a string or as an object.
type tokenName string

func (n *tokenName) UnmarshalJSON(data []byte) error {
	if data[0] != '{' {
		var s *string
		err := json.Unmarshal(data, &s)
		if s != nil {
			*n = tokenName(*s)
		}
		return err
	}
	var a added.Token
	err := json.Unmarshal(data, &a)
	*n = tokenName(a.Content)
	return err
}

// addedTokens joins the added tokens of both files: tokenizer_config.json wins, and a control token that it names and the
// list lacks is added, as transformers does.
func (t *Tokenizer) addedTokens(list []added.Token) []added.Token {
	at := map[string]int{}
	put := func(a added.Token) {
		if i, ok := at[a.Content]; ok {
			list[i] = a
			return
		}
		at[a.Content] = len(list)
		list = append(list, a)
	}
	next := int32(-1)
	for _, id := range t.spellings {
		next = max(next, id)
	}
	for i, a := range list {
		at[a.Content] = i
		next = max(next, int32(a.ID))
	}
	for _, id := range slices.Sorted(maps.Keys(t.config.AddedDecoder)) {
		a := t.config.AddedDecoder[id]
		a.ID = id
		next = max(next, int32(id))
		put(a)
	}
	for _, name := range append([]tokenName{t.config.BOS, t.config.EOS, t.config.UNK, t.config.Pad}, t.config.Additional...) {
		if _, ok := at[string(name)]; ok || name == "" {
			continue
		}
		id, ok := t.spellings[string(name)]
		if !ok {
			next++
			id = next
		}
		put(added.Token{ID: int(id), Content: string(name), Special: true})
	}
	return list
}

// nameControls finds the tokens that begin and end a text, once the vocabulary is there.
func (t *Tokenizer) nameControls() {
	id := func(name tokenName) int {
		if id, ok := t.ID(string(name)); ok {
			return id
		}
		return -1
	}
	t.bos, t.eos = id(t.config.BOS), id(t.config.EOS)
	if t.config.BOS == "" && t.config.EOS == "" { // GPT-2's own files leave it to the class
		t.bos, t.eos = id("<|endoftext|>"), id("<|endoftext|>")
	}
	if t.config.AddBOS == nil && t.config.AddEOS == nil {
		return
	}
	t.before, t.after = nil, nil // transformers rebuilds the template when one of the two is named
	if t.config.AddBOS != nil && *t.config.AddBOS && t.bos >= 0 {
		t.before = []int{t.bos}
	}
	if t.config.AddEOS != nil && *t.config.AddEOS && t.eos >= 0 {
		t.after = []int{t.eos}
	}
}
