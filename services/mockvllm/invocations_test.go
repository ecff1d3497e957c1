package mockvllm_test

import (
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
)

func TestInvocations(t *testing.T) {
	s := run(t, func(*mockvllm.Config) {})
	f := func(body, want string, header ...string) {
		t.Helper()
		_, got := s.call("POST", "/invocations", body, append([]string{"Content-Type", "application/json"}, header...)...)
		if !strings.Contains(got, want) {
			t.Errorf("%s %q: %s, want %s", body, header, got, want)
		}
	}
	const (
		prompt  = `{"prompt":"a","max_tokens":1}`
		session = "X-Amzn-SageMaker-Session-Id"
		adapter = "X-Amzn-SageMaker-Adapter-Identifier"
	)
	f(prompt, `"object":"text_completion"`)
	f(chatBody("a", ""), `"object":"chat.completion"`)
	f(chatBody("a", `,"prompt":"a"`), `"object":"chat.completion"`)
	f(`{"messages":[5],"prompt":"a"}`, `"object":"text_completion"`)
	f(`{"model":"nobody","prompt":"a"}`, `"model":"tiny"`)
	f(prompt, `"model":"tiny"`, adapter, "tiny")
	f(prompt, "The model `nobody` does not exist", adapter, "nobody")
	f(prompt, `{"message":"Invalid payload. stateful sessions not enabled, X-Amzn-SageMaker-Session-Id header not supported","type":"Bad Request"`, session, "x")
	f(`{"requestType":"CLOSE"}`, `{"message":"Invalid payload. stateful sessions not enabled","type":"Bad Request"`)
	f(`{"requestType":1,"a":[2]}`, `[{\"type\":\"enum\",\"loc\":[\"requestType\"],\"msg\":\"Input should be 'NEW_SESSION' or 'CLOSE'\",\"input\":1,`+
		`\"ctx\":{\"expected\":\"'NEW_SESSION' or 'CLOSE'\"}},{\"type\":\"extra_forbidden\",\"loc\":[\"a\"],\"msg\":\"Extra inputs are not permitted\",\"input\":[2]}]`)
	f(`["requestType"]`, `\"type\":\"model_type\",\"loc\":[]`)
	f("{\"a\":\"\xff\"}", `'utf-8' codec can't decode byte 0xff in position 6: invalid start byte`)
	f("{\"a\":\"\xe2\x82\"}", `'utf-8' codec can't decode bytes in position 6-7: invalid continuation byte`)
	f("\"\xe2\x82", `'utf-8' codec can't decode bytes in position 1-2: unexpected end of data`)
	f("\x00{\x00}\x00", `'utf-16-be' codec can't decode byte 0x00 in position 4: truncated data`)
	f("\xff\xfe{\x00}", `'utf-16-le' codec can't decode byte 0x7d in position 4: truncated data`)
	f("{\x00\x00\x00}\x00", `'utf-32-le' codec can't decode bytes in position 4-5: truncated data`)
	f("\x00\x00\xfe\xff\x00\x00\x00{xxxx", `'utf-32-be' codec can't decode bytes in position 8-11: code point not in range(0x110000)`)
	f(`{"a":`+strings.Repeat("9", 4301)+`}`, `Exceeds the limit (4300 digits) for integer string conversion: value has 4301 digits; use sys.set_int_max_str_digits() to increase the limit`)
}
