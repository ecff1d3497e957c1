// Package derender makes answers of tokens: /v1/chat/completions/derender and its like for completions, which
// --enable-scale-out turns on.
//
//	derender.go   whole answers
//	chunk.go      the next chunk of a streamed one
//	bounds.go     how much may come at once
//	restore.go    likelihoods of tokens that came without words
//	state.go      what a client carries from one chunk to the next
package derender
