package scan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/gateway/scan"
)

// BenchmarkObject reads a request and its answer, of 1 KB each.
func BenchmarkObject(b *testing.B) {
	f := func(name, form string) {
		text := fmt.Appendf(nil, form, strings.Repeat("word ", 200)[:1024-len(form)])
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := scan.Object(text, func(scan.Member) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	f("request", `{"model":"llama","messages":[{"role":"user","content":"%s"}],"max_tokens":64,"temperature":0.5,"stream":false}`)
	f("answer", `{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"llama","choices":[{"index":0,"message":`+
		`{"role":"assistant","content":"%s","refusal":null,"tool_calls":[]},"logprobs":null,"finish_reason":"stop"}],`+
		`"usage":{"prompt_tokens":16,"total_tokens":80,"completion_tokens":64}}`)
}
