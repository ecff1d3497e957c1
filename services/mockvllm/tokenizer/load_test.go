package tokenizer_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// files is a small model directory with one part of tokenizer.json replaced.
func files(old, now, config string) fstest.MapFS {
	const whole = `{"added_tokens":[{"id":3,"content":"<end>","special":true}],"normalizer":null,
		"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"post_processor":null,"decoder":{"type":"ByteLevel"},
		"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}`
	dir := fstest.MapFS{"tokenizer.json": {Data: []byte(strings.Replace(whole, old, now, 1))}}
	if config != "" {
		dir["tokenizer_config.json"] = &fstest.MapFile{Data: []byte(config)}
	}
	return dir
}

func TestLoad(t *testing.T) {
	f := func(old, now, config, text string, want ...int) {
		t.Helper()
		tok, err := tokenizer.LoadFS(files(old, now, config))
		if err != nil {
			t.Errorf("with %s: %v", now, err)
			return
		}
		if got := tok.Encode(text, true); !equal(got, want) {
			t.Errorf("with %s %s: Encode(%q) = %v, want %v", now, config, text, got, want)
		}
	}
	f("", "", "", "aba<end>b", 2, 0, 3, 1)
	f(`"a b"`, `["a","b"]`, "", "ab", 2)
	f(`"type":"BPE",`, "", "", "ab", 2) // as GPT-2's file has it
	f("", "", "", "axb", 2)             // a byte that no token spells is left out first
	f("", "", `{"eos_token":"b","add_eos_token":true}`, "ab", 0, 1, 1)
	f("", "", `{"bos_token":{"content":"<new>"},"add_bos_token":true}`, "a<new>b", 4, 0, 4, 1)
	f("", "", `{"added_tokens_decoder":{"3":{"content":"<end>","rstrip":true}}}`, "a<end>  b", 0, 3, 1)
	f(`"post_processor":null`, `"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"e"}}],
		"special_tokens":{"e":{"ids":[3]}}}`, "", "ab", 2, 3)
	f(`{"type":"ByteLevel","add_prefix_space":false}`,
		`{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}`,
		"", "ab1ab", 2, 2)
}

// TestInfo holds the answer for the tiny model against the recorded one, and another against what vLLM's class gives.
func TestInfo(t *testing.T) {
	f := func(tok *tokenizer.Tokenizer, path, chatTemplate, want string) {
		t.Helper()
		got := string(pyjson.AppendJSON(nil, tok.Info(path, chatTemplate), pyjson.Format{Compact: true}))
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	f(tokenizer.Tiny(), "./tiny-model", "{{ x }}", `{"tokenizer_class":"TokenizerPoolCachedTokenizersBackend","bos_token":"<|begin|>",`+
		`"clean_up_tokenization_spaces":false,"eos_token":"<|end|>","model_max_length":2048,"chat_template":"{{ x }}","truncation_side":"left",`+
		`"extra_special_tokens":["<|user|>","<|assistant|>","<|system|>","<|tool|>"],"name_or_path":"./tiny-model","is_local":true,"local_files_only":true,`+
		`"additional_special_tokens":["<|user|>","<|assistant|>","<|system|>","<|tool|>"],"added_tokens_decoder":{"0":"<|begin|>","1":"<|end|>","2":"<|user|>",`+
		`"3":"<|assistant|>","4":"<|system|>","5":"<|tool|>","1996":"<think>","1997":"</think>","1998":"<tool_call>","1999":"</tool_call>"},"backend":"tokenizers"}`)
	tok, err := tokenizer.LoadFS(files("", "", `{"added_tokens_decoder":{"3":{"content":"<end>","special":true}},"bos_token":{"__type":"AddedToken","content":"a"},
		"chat_template":"{{ m }}","extra":{"x":[1,2.50,null]},"pad_token":null,"tokenizer_class":"Qwen2TokenizerFast"}`))
	if err != nil {
		t.Fatal(err)
	}
	f(tok, "m", "", `{"tokenizer_class":"TokenizerPoolCachedQwen2Tokenizer","added_tokens_decoder":{"3":"<end>"},"bos_token":"a","chat_template":"{{ m }}",`+
		`"extra":{"x":[1,2.5,null]},"pad_token":null,"truncation_side":"left","name_or_path":"m","is_local":true,"local_files_only":true,"backend":"tokenizers"}`)
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestLoadRefuses(t *testing.T) {
	f := func(old, now, want string) {
		t.Helper()
		if _, err := tokenizer.LoadFS(files(old, now, "")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with %s: error %v, want one with %q", now, err, want)
		}
	}
	f(`"BPE"`, `"Unigram"`, `model type "Unigram" is not supported`)
	f(`"BPE"`, `"WordPiece"`, `model type "WordPiece" is not supported`)
	f(`"BPE"`, `"BPE","byte_fallback":true`, "byte_fallback is not supported")
	f(`"BPE"`, `"BPE","dropout":0.1`, "dropout is not supported")
	f(`"BPE"`, `"BPE","end_of_word_suffix":"</w>"`, "end_of_word_suffix is not supported")
	f(`"decoder":{"type":"ByteLevel"}`, `"decoder":{"type":"Metaspace"}`, `decoder of type "Metaspace" is not supported`)
	f(`"decoder":{"type":"ByteLevel"}`, `"decoder":null`, "without a decoder")
	f(`"normalizer":null`, `"normalizer":{"type":"Lowercase"}`, `normalizer of type "Lowercase" is not supported`)
	f(`"post_processor":null`, `"post_processor":{"type":"BertProcessing"}`, `post_processor of type "BertProcessing"`)
	f(`{"type":"ByteLevel","add_prefix_space":false}`, `{"type":"Whitespace"}`, "does not end with ByteLevel")
	f(`{"type":"ByteLevel","add_prefix_space":false}`, "null", "without a pre_tokenizer")
	f(`{"type":"ByteLevel","add_prefix_space":false}`,
		`{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?<=a)b"},"behavior":"Isolated"},{"type":"ByteLevel"}]}`, "pattern (?<=a)b")
	f(`"a b"`, `"a c"`, `"a" and "c"`)
	f(`"a b"`, `"a b c"`, "a merge is two tokens")
	f(`"a b"`, `["a"]`, "a merge is two tokens")
	f(`"b":1`, `"b":-1`, "id -1")
	f(`"id":3`, `"id":999999999`, "id 999999999")
	f("{", "[", "tokenizer.json: ")
	if _, err := tokenizer.Load(t.TempDir()); err == nil {
		t.Error("an empty directory is a tokenizer")
	}
}

// FuzzLoad: whatever the files say, the answer is a tokenizer that works or an error.
func FuzzLoad(f *testing.F) {
	whole := string(files("", "", "")["tokenizer.json"].Data)
	f.Add(whole, `{"bos_token":"a"}`, "ab")
	f.Add(strings.Replace(whole, "ByteLevel", "Split", 1), `{}`, "é")
	f.Add(`{"model":{"vocab":{"":0},"merges":[]}}`, `{"added_tokens_decoder":{"5":{"content":"b","normalized":true}}}`, " b")
	f.Fuzz(func(_ *testing.T, model, config, text string) {
		tok, err := tokenizer.LoadFS(fstest.MapFS{"tokenizer.json": {Data: []byte(model)}, "tokenizer_config.json": {Data: []byte(config)}})
		if err == nil {
			tok.Decode(tok.Encode(text, true), true)
		}
	})
}
