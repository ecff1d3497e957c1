package relay_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
)

// TestUsageThatOnlyWeAskedFor: the client gets the stream that it would have had if nobody had asked.
func TestUsageThatOnlyWeAskedFor(t *testing.T) {
	const (
		print   = `,"system_fingerprint":"vllm-1"`
		finish  = `data: {"choices":[{"index":0,"delta":{"content":"z"},"finish_reason":"stop"}]}` + "\n\n"
		marked  = `data: {"choices":[{"index":0,"delta":{"content":"z"},"finish_reason":"stop"}]` + print + "}\n\n"
		finish1 = `data: {"choices":[{"index":1,"text":"","finish_reason":"length"}],"more":{}}` + "\n\n"
		marked1 = `data: {"choices":[{"index":1,"text":"","finish_reason":"length"}],"more":{}` + print + "}\n\n"
		counts  = `"usage":{"prompt_tokens":9,"total_tokens":12,"completion_tokens":3}`
		usage   = `data: {"choices":[],` + counts + print + "}\n\n"
		nothing = `data: {"choices":[{"index":1,"delta":{"content":""},"finish_reason":null}]}` + "\n\n"
		counted = `data: {"choices":[{"index":0,"delta":{"content":"z"},"finish_reason":"stop"}],` + counts + "}\n\n"
		failure = `data: {"error":{"message":"boom"}}` + "\n\n"
		comment = ": keep-alive\n\n"
	)
	f := func(name, sent, want string) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := play(t, events, func(o *relay.Options) { o.DropUsage = true }, piece{text: sent}, piece{err: io.EOF})
				if r.err != nil {
					t.Fatal(r.err)
				}
				got, broke, _ := strings.Cut(r.recorder.Body.String(), `data: {"error":{"message":"The model server stopped`)
				whole := strings.Contains(sent, "[DONE]") || strings.Contains(sent, failure)
				if got != want || (broke == "") != whole {
					t.Errorf("got  %q\nwant %q", r.recorder.Body, want)
				}
			})
		})
	}
	f("one choice", token("a")+finish+usage+done, token("a")+marked+done)
	f("one token", finish+usage+done, marked+done)
	f("others go on", finish+token("b")+nothing+finish1+usage+done, token("b")+nothing+marked+marked1+done)
	f("a comment", token("a")+finish+comment+usage+done, token("a")+comment+marked+done)
	f("no fingerprint", finish+strings.ReplaceAll(usage, print, "")+done, finish+done)
	f("fingerprint in each chunk", marked+usage+done, marked+done)
	f("CRLF", crlf(finish+usage+done), crlf(marked+done))
	f("no usage", token("a")+finish+done, token("a")+finish+done)
	f("usage in each chunk", counted+usage+done, counted+usage+done)
	f("an error", finish+failure, finish+failure)
	f("broken", token("a")+finish, token("a")+finish)
	f("no object", "data: [{}]\n\n"+finish+"data: 1\n\n"+usage+done, "data: [{}]\n\ndata: 1\n\n"+marked+done)
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// TestTokensPassAnEndThatWaits: what is not the end of a choice passes at once while an end waits.
func TestTokensPassAnEndThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, events, func(o *relay.Options) { o.DropUsage = true },
			piece{text: `data: {"choices":[{"index":0,"text":"a","finish_reason":"stop"}]}` + "\n\n"},
			piece{after: time.Second, text: token("b")}, piece{after: time.Minute, err: io.EOF})
		if body := r.recorder.Body.String(); !strings.HasPrefix(body, token("b")+`data: {"choices":[{"index":0`) || r.result.Outcome != relay.Interrupted {
			t.Errorf("%+v: %s", r.result, body)
		}
	})
}
