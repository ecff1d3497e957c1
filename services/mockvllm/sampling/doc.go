// Package sampling holds what a request says about how its answer is to be made: vLLM's SamplingParams, with the two
// rounds of checks that vLLM 0.32 makes on them.
//
//	Check    when a request is accepted: ranges; a failure is an ordinary 400
//	Verify   when the engine takes it: what depends on the vocabulary and on limits of the server; by then a streamed
//	         answer has its 200, and the failure is an event of the stream
package sampling
