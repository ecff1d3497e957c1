package mockvllmtest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

// ask stands for the code under test: it tries once more when the server is overloaded.
func ask(client *http.Client, url string) (string, error) {
	var resp *http.Response
	for range 2 {
		var err error
		resp, err = client.Post(url+"/v1/completions", "application/json", strings.NewReader(`{"prompt": "Hello"}`))
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			break
		}
	}
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// In a test, Start(t, …) takes the place of New and Close.
func Example() {
	mock := mockvllmtest.New(mockvllmtest.Faults(`{"rules": [{"match": {"nth": 1}, "do": {"status": 503}}]}`))
	defer mock.Close()

	answer, err := ask(mock.Client(), mock.URL)
	fmt.Println(strings.Contains(answer, "Mock response to: Hello..."), err)
	for _, r := range mock.WaitRequests(2) {
		fmt.Println(r.Path, r.Status, r.Outcome, r.Tokens > 0)
	}
	// Output:
	// true <nil>
	// /v1/completions 503 refused false
	// /v1/completions 200 done true
}
