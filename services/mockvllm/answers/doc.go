// Package answers takes requests for text through the engine, plain and streamed, for all interfaces.
//
//	answers.go     Answers: what they are made with
//	apis.go        the interfaces, and what is particular to each
//	generate.go    a request is decoded, checked and, if it is no stream, answered once it is over
//	answering.go   what it asks of the engine, and what came of it
//	stream.go      the frames of a stream
//	log.go         what the log says of a refusal
//	flights.go     what the engine works on, by id
//	pool.go        prompts that are read and answered without a token
//	header.go      numbers in headers, as Python reads them
//	fingerprint.go what tells one configuration's answers from another's
package answers
