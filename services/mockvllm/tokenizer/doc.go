// Package tokenizer turns text into token ids and back as Hugging Face's fast tokenizers do, for the byte-level BPE
// families: GPT-2, Llama 3, Qwen and what is built like them. It reads their tokenizer.json.
//
// The path of a text: added tokens are cut out of it (package added), what lies between is normalized and split into
// words (package pretokenizer), the bytes of each word are merged by rank (package bpe), and the post-processor frames the ids
// (encode.go). The way back is decode.go for whole answers and detokenizer.go for streams.
//
// The tokenizer of the reference tiny model is embedded: Tiny. It has 2000 tokens and ends an answer with id 1.
package tokenizer
