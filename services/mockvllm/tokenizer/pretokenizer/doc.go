// Package pretokenizer cuts normalized texts into words, as the pre-tokenizers ByteLevel, Digits and Split of Hugging Face's
// tokenizers do. The patterns of the well-known families are matched by hand (split.go), others by package regexp (pattern.go).
package pretokenizer
