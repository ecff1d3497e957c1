// Package mockvllmtest is a vLLM server without a GPU inside a Go test: on a port of its own, with faults on command and a
// record of what came, and gone with the test.
//
//	mock := mockvllmtest.Start(t, mockvllmtest.Faults(`{"rules": [{"match": {"nth": 1}, "do": {"status": 503}}]}`))
//	// … point the code under test to mock.URL …
//	if n := len(mock.WaitRequests(2)); n != 2 { … } // one retry, and no more
package mockvllmtest
