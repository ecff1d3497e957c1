// Package bpe is the model "BPE" of Hugging Face's tokenizers, in the byte-level form: the bytes of a word are merged into tokens by
// rank. Words and vocabularies are all that it knows: what cuts a text into words is package pretokenizer.
package bpe
