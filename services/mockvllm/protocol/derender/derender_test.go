package derender_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/derender"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// FuzzDerender looks for bodies that break derender, or that it answers with what is no JSON.
func FuzzDerender(f *testing.F) {
	for _, body := range []string{
		`{"generate_response":{"choices":[{"index":0,"token_ids":[133,108],"logprobs":{"content":[{"token_id":133,"logprob":-1},{"token_id":108,"logprob":-2,"top_logprobs":[{"token_id":99999,"logprob":0}]}]}}]}}`,
		`{"stream":true,"generate_chunk":{"choices":[{"index":0,"token_ids":[226,-1,99999999999999999999]}]},"stream_state":{"prev_tokens":["a","Ã"],"prefix_offset":9,"read_offset":1}}`,
		`{"stream":true,"prompt_token_ids":[1,300],"generate_chunk":{"choices":[],"usage":{"prompt_tokens":1}}}`,
		`{"stream":true,"generate_chunk":{"choices":[{"index":0,"token_ids":[0,7]}]},"stream_state":{"prefix_offset":1}}`,
		`{"generate_responses":[{"choices":[{"index":0,"token_ids":[300]}]}],"prompt_token_ids":[[133]]}`,
		`{"generate_response":{"choices":[{"index":0,"token_ids":[300]}]},"chat_request":{"messages":[{"role":"user","content":"x"}],"return_token_ids":true}}`,
	} {
		f.Add(body)
	}
	m := &request.Model{Model: generation.NewModel(tokenizer.Tiny(), generation.Guide, 0), Name: "tiny", MaxLen: 100}
	f.Fuzz(func(t *testing.T, body string) {
		check := func(b []byte, err *protocol.Error) {
			if err == nil && !json.Valid(b) {
				t.Errorf("%s: %s", body, b)
			}
		}
		if v, _, err := protocol.Decode("DerenderChatRequest", "application/json", []byte(body)); err == nil {
			check(derender.Chat(v, protocol.Head{}, m))
		}
		if v, _, err := protocol.Decode("DerenderCompletionRequest", "application/json", []byte(body)); err == nil {
			check(derender.Completion(v, protocol.Head{}, m))
		}
	})
}

// TestBrokenCharactersCostNoMore than whole ones: an answer of nothing but beginnings of characters is read once.
func TestBrokenCharactersCostNoMore(t *testing.T) {
	m := &request.Model{Model: generation.NewModel(tokenizer.Tiny(), generation.Guide, 0), Name: "tiny", MaxLen: 1 << 15}
	broken := strings.TrimSuffix(strings.Repeat("133,", 1<<15), ",")
	v, _, err := protocol.Decode("DerenderChatRequest", "application/json", []byte(`{"generate_response":{"choices":[{"index":0,"token_ids":[`+broken+`]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := derender.Chat(v, protocol.Head{}, m)
	if err != nil || !strings.Contains(string(b), `"content":""`) {
		t.Errorf("%v: %s", err, b)
	}
}

// TestOddState holds what vLLM's detokenize_incrementally makes of offsets that no window of its own has.
func TestOddState(t *testing.T) {
	m := &request.Model{Model: generation.NewModel(tokenizer.Tiny(), generation.Guide, 0), Name: "tiny", MaxLen: 100}
	f := func(state, ids, wantText, wantState string) {
		t.Helper()
		v, _, err := protocol.Decode("DerenderCompletionRequest", "application/json",
			[]byte(`{"stream":true,"generate_chunk":{"choices":[{"index":0,"token_ids":`+ids+`}]},"stream_state":`+state+`}`))
		if err != nil {
			t.Fatal(err)
		}
		b, err := derender.Completion(v, protocol.Head{}, m)
		if err != nil || !strings.Contains(string(b), `"text":"`+wantText+`"`) || !strings.Contains(string(b), `"stream_state":{`+wantState) {
			t.Errorf("%s %s: %v %s, want %q and %s", state, ids, err, b, wantText, wantState)
		}
	}
	f(`{"prefix_offset":1}`, `[0,7]`, "", `"prev_tokens":["\""],"prefix_offset":0,"read_offset":-1`)
	f(`{"prev_tokens":["a","b"],"prefix_offset":2}`, `[300,301,302]`, " mrn to", `"prev_tokens":["Ġto"],"prefix_offset":0,"read_offset":1`)
	f(`{"prev_tokens":["a","b","c"],"prefix_offset":3,"read_offset":1}`, `[300,133,108,301]`, " mérn", `"prev_tokens":["rn"],"prefix_offset":0,"read_offset":1`)
	f(`{"prefix_offset":5,"read_offset":2}`, `[300,301,302,303,304,305]`, "or", `"prev_tokens":["Ġto","th","or","er"],"prefix_offset":0,"read_offset":7`)
}
