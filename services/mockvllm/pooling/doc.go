// Package pooling answers for models that make vectors or classes of texts: /v1/embeddings, /v2/embed, /pooling, /score,
// /rerank and /classify.
//
// A vector counts the words and the groups of three letters of a text by their hashes, so texts that share many of them lie
// near each other: a vector store finds what it should. It has 64 numbers, as the reference model's has. Scores are cosines
// of vectors, and classes follow from them. The same text gives the same numbers everywhere. Where answers are random, the
// vectors are the reference model's own.
//
// vector.go makes numbers, number.go writes them as bytes, input.go reads what is asked (conversations.go where it is one), and the
// other files are one for each interface.
package pooling
