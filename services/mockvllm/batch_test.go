package mockvllm_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
)

func TestBatchAnswersEachConversation(t *testing.T) {
	s := run(t, func(*mockvllm.Config) {})
	f := func(fields string, want ...string) {
		t.Helper()
		const messages = `{"messages":[[{"role":"user","content":"One"}],[{"role":"user","content":[{"type":"text","text":"Two"}]}]]`
		a := s.ask(chatPath+"/batch", messages+fields+"}")
		var got []string
		for i, c := range a.Choices {
			if c.Index != i {
				t.Errorf("%s: choice %d has the index %d", fields, i, c.Index)
			}
			got = append(got, c.Message.Role+": "+c.Message.Content+" "+c.FinishReason)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", fields, diff)
		}
	}
	f(``, "assistant: Mock response to: One... stop", "assistant: Mock response to: Two... stop")
	f(`,"stop":"resp"`, "assistant: Mock  stop", "assistant: Mock  stop")
	f(`,"stop_token_ids":[],"skip_special_tokens":true`, "assistant: Mock response to: One... stop", "assistant: Mock response to: Two... stop")
	f(`,"echo":true,"add_generation_prompt":false`, "user: OneMock response to: One... stop", "user: TwoMock response to: Two... stop")
	f(`,"stream":true`, "assistant:  stop", "assistant:  stop")
}
