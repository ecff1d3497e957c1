// Package answers takes requests for text through the engine, plain and streamed, for all interfaces.
//
//	apis.go        the interfaces, and what is particular to each
//	generate.go    a request is decoded, checked and, if it is no stream, answered once it is over
//	answering.go   what it asks of the engine, and what came of it
//	stream.go      the frames of a stream
//	log.go         what the log says of a refusal
//	flights.go     what the engine works on, by id
package answers
