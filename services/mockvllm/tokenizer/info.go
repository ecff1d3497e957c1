package tokenizer

import (
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Info is what GET /tokenizer_info answers for a tokenizer in the directory path, for a server that is offline:
// tokenizer_config.json as transformers holds it, with what it and vLLM add. chatTemplate is "" for a server without one.
func (t *Tokenizer) Info(path, chatTemplate string) *pyjson.Object {
	info := pyjson.NewObject(pyjson.Member{Key: "tokenizer_class", Value: t.className()})
	for key, v := range t.described.All() {
		switch key {
		case "tokenizer_class", "additional_special_tokens", "extra_special_tokens", "vocab_file", "merges_file":
		default:
			info.Set(key, contents(v))
		}
	}
	if chatTemplate != "" {
		info.Set("chat_template", chatTemplate)
	}
	info.Set("truncation_side", "left")
	additional, named := t.described.Get("additional_special_tokens")
	if named {
		info.Set("extra_special_tokens", contents(additional))
	}
	info.Set("name_or_path", path)
	info.Set("is_local", true)
	info.Set("local_files_only", true)
	if named {
		info.Set("additional_special_tokens", contents(additional))
	}
	if _, ok := info.Get("added_tokens_decoder"); !ok {
		added := &pyjson.Object{}
		for id := range t.tokens {
			if t.tokens[id].added != "" {
				added.Set(strconv.Itoa(id), t.tokens[id].added)
			}
		}
		info.Set("added_tokens_decoder", added)
	}
	info.Set("backend", "tokenizers")
	return info
}

// className is the name of the class that vLLM derives from the tokenizer's own.
func (t *Tokenizer) className() string {
	name, _ := t.described.Value("tokenizer_class").(string)
	name = strings.TrimSuffix(name, "Fast")
	if name == "" || name == "PreTrainedTokenizer" {
		name = "TokenizersBackend"
	}
	return "TokenizerPoolCached" + name
}

// contents replaces the descriptions of tokens in v by their texts.
func contents(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = contents(item)
		}
		return out
	case *pyjson.Object:
		if text, ok := v.Get("content"); ok {
			return text
		}
		out := &pyjson.Object{}
		for key, item := range v.All() {
			out.Set(key, contents(item))
		}
		return out
	}
	return v
}
