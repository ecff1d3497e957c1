package mockvllm_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAdapters(t *testing.T) {
	s := startIn(t, map[string]string{"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1"}, "m", "--served-model-name", "tiny", "alias",
		"--enable-lora", "--lora-modules", "ada=./lora", `{"name":"bob","path":"org/bob","base_model_name":"other"}`)
	f := s.asks()
	f("POST", "/v1/load_lora_adapter", `{"lora_name":"x","lora_path":"./lora"}`, 200, "Success: LoRA adapter 'x' added successfully.")
	f("POST", "/v1/load_lora_adapter", `{"lora_name":"x","lora_path":"/no/such"}`, 400, `{"error":{"message":"The lora adapter 'x' has already been loaded. If you want to load the adapter in place, set 'load_inplace' to True.","type":"InvalidUserInput","param":null,"code":400}}`)
	f("POST", "/v1/load_lora_adapter", `{"lora_name":"y","lora_path":"/no/such"}`, 404, `{"error":{"message":"Loading lora y failed: No adapter found for /no/such","type":"NotFoundError","param":null,"code":404}}`)
	f("POST", "/v1/load_lora_adapter", `{}`, 400, `{"error":{"message":"2 validation errors:\n  {'type': 'missing', 'loc': 'body.lora_name', 'msg': 'Field required', 'input': '<dict of 0 items>'}\n  {'type': 'missing', 'loc': 'body.lora_path', 'msg': 'Field required', 'input': '<dict of 0 items>'}","type":"Bad Request","param":"body.lora_name","code":400}}`)
	f("POST", "/adapters", `{"name":"b1","src":"./lora"}`, 200, "Adapter b1 registered")
	f("POST", "/adapters", `{"name":"b1"}`, 400, `{"error":{"message":"[{\"type\":\"missing\",\"loc\":[\"src\"],\"msg\":\"Field required\",\"input\":{\"name\":\"b1\"}}]","type":"Bad Request","param":null,"code":400}}`)
	f("POST", "/adapters", `{x`, 400, `{"error":{"message":"[{\"type\":\"missing\",\"loc\":[\"name\"],\"msg\":\"Field required\",\"input\":\"\"},{\"type\":\"missing\",\"loc\":[\"src\"],\"msg\":\"Field required\",\"input\":\"\"}]","type":"Bad Request","param":null,"code":400}}`)
	f("POST", "/adapters", `{"name":5,"src":""}`, 400, `{"error":{"message":"[{\"type\":\"string_type\",\"loc\":[\"name\"],\"msg\":\"Input should be a valid string\",\"input\":5},{\"type\":\"value_error\",\"loc\":[\"src\"],\"msg\":\"Value error, The parameter src cannot be an empty string\",\"input\":\"\",\"ctx\":{\"error\":\"The parameter src cannot be an empty string\"}}]","type":"Bad Request","param":null,"code":400}}`)
	f("GET", "/adapters", "", 405, `{"detail":"Method Not Allowed"}`)

	_, text := s.call("GET", "/v1/models", "")
	var list struct {
		Data []struct {
			ID, Root string
			Parent   *string
			MaxLen   *int `json:"max_model_len"`
		}
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range list.Data {
		parent := "-"
		if m.Parent != nil {
			parent = *m.Parent
		}
		if (m.MaxLen == nil) != (m.Parent != nil) {
			t.Errorf("%s: context %v", m.ID, m.MaxLen)
		}
		got = append(got, m.ID+" "+m.Root+" "+parent)
	}
	if diff := cmp.Diff([]string{"tiny m -", "alias m -", "ada ./lora tiny", "bob org/bob other", "x ./lora tiny", "b1 ./lora tiny"}, got); diff != "" {
		t.Error(diff)
	}

	f("POST", "/v1/chat/completions", `{"model":"nope","messages":[{"role":"user","content":"Hi"}]}`, 404, "{\"error\":{\"message\":\"The model `nope` does not exist. Valid aliases: tiny, alias.\",\"type\":\"NotFoundError\",\"param\":\"model\",\"code\":404}}")
	answer := func(model, want string) {
		t.Helper()
		_, text := s.call("POST", "/v1/completions", `{"model":"`+model+`","prompt":"Hi","max_tokens":1}`)
		var body struct{ Model string }
		if err := json.Unmarshal([]byte(text), &body); err != nil || body.Model != want {
			t.Errorf("%s answers as %s, %v; want %s", model, body.Model, err, want)
		}
	}
	answer("ada", "ada")
	answer("alias", "tiny")
	f("DELETE", "/adapters/b1", "", 200, "Adapter b1 unregistered")
	f("DELETE", "/adapters/zz", "", 404, `{"error":{"message":"The lora adapter 'zz' cannot be found.","type":"NotFoundError","param":null,"code":404}}`)
	f("POST", "/v1/unload_lora_adapter", `{"lora_name":"ada","lora_int_id":7}`, 200, "Success: LoRA adapter 'ada' removed successfully.")
	f("POST", "/v1/unload_lora_adapter", `{"lora_name":""}`, 400, `{"error":{"message":"'lora_name' needs to be provided to unload a LoRA adapter.","type":"InvalidUserInput","param":null,"code":400}}`)
	f("POST", "/v1/completions", `{"model":"ada","prompt":"Hi"}`, 404, "")
}

// TestTheLogTellsOfAdaptersAndModes: in vLLM's words.
func TestTheLogTellsOfAdaptersAndModes(t *testing.T) {
	s := startIn(t, map[string]string{"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1", "VLLM_SERVER_DEV_MODE": "1"}, "m", "--enable-lora",
		"--lora-modules", "ada=./lora", "--enable-auto-tool-choice", "--tool-call-parser", "hermes")
	for _, path := range []string{"/v1/load_lora_adapter", "/v1/load_lora_adapter", "/v1/unload_lora_adapter"} {
		s.call("POST", path, `{"lora_name":"x","lora_path":"./lora","load_inplace":true}`)
	}
	for _, part := range []string{
		"[entry.py:136] Supported tasks: ['generate']\n",
		"[api_router.py:33] LoRA dynamic loading & unloading is enabled in the API server.",
		"[__init__.py:44] SECURITY WARNING: Development endpoints are enabled!",
		"[factories.py:89] Scale-out endpoints are disabled.",
		"[serving.py:226] Loaded new LoRA adapter: name 'ada', path './lora'\n",
		"[parser_manager.py:38] \"auto\" tool choice has been enabled.\n",
		"[hf.py:648] Detected the chat template content format to be 'string'.",
		"[serving.py:226] Loaded new LoRA adapter: name 'x', path './lora'\n",
		"[serving.py:217] Reloaded LoRA adapter 'x' in place from the same path './lora'.",
		"[serving.py:244] Removed LoRA adapter: name 'x'\n",
	} {
		s.log.waitFor(t, part)
	}
}
