// Package generation is the language model of the mock: what it says, token by token, and how sure it is.
//
//	model.go     Model, and the answer modes: guide, echo, random, file
//	script.go    the answers of a file
//	work.go      Work: one prompt, and as many answers as its parameters say
//	choose.go    what an answer says: by the mode, and by what the request wants
//	insist.go    what a request makes the model say: a form that is prescribed, a call of a tool
//	constrain.go what becomes of it when a form is prescribed
//	source.go    where the tokens of an answer come from: a text that is said, or words drawn at random
//	answer.go    Answer: the plan of one choice. How many tokens it has and why it ends is known before the first is due
//	reader.go    Reader tells the text of an answer as its tokens become due, as vLLM's detokenizer does
//	logprobs.go  how likely each token was, and which others there were
//	decode.go    the texts of tokens that are parts of characters
//	reading.go   what the reference model says of that
//	recite.go    when it says the words too
//	wishes.go    what a request does to the likelihood of its words
//
// All randomness comes from a seed and from the prompt, never from a clock or from the order of arrival: the same request
// to a server with the same seed has the same answer.
package generation
