// Package request holds what the interfaces that generate text share: how a request becomes prompts and sampling parameters, and how
// what the model says becomes parts of an answer.
//
//	common.go        Model, what all requests have, and their sampling parameters
//	bias.go          logit_bias among these, and constraint.go the form of the answer
//	length.go        how long prompt and answer may be
//	conversation.go  the prompt that a chat template makes of messages
//	content/         what the messages may hold
//	templates.go     which template that is, media.go what is said of media besides
//	tools.go         the functions that may be called
//	reply.go         what the model says where tools or thoughts come into it
//	turn.go          Turn: all of this, for one turn of a conversation
//	said.go          an answer taken apart into thoughts, words and calls
//	frames.go        how a handler streams an answer
//	logprobs.go      how likely the tokens of a prompt were
package request
