// Package golden replays recorded exchanges against a server and tells where its answers differ.
//
//	exchange.go  an exchange and its file format
//	wire.go      sends the recorded bytes, reads the answer as it comes over the wire
//	masks.go     everything that may differ from run to run, and why
//	compare.go   the first difference between two answers
//	json.go      JSON with its order of members and its numbers as they were written
//
// The exchanges lie in services/mockvllm/testdata/golden, whose README tells where they come from. Users are the mock's own
// test (TestGolden) and tools/conformance, which also compares and records real servers.
package golden
