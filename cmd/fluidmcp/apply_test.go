package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestApply(t *testing.T) {
	const changes = `{"models":[{"model":"m","effect":"none","fields":[{"field":"limits.queue","old":"1","new":"2","effect":"none"}]}]}`
	asked, answer := "", changes
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = r.Method + " " + r.URL.String() + " " + string(body)
		if strings.Contains(answer, `"error"`) {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer gateway.Close()
	folder := t.TempDir()
	file, empty := filepath.Join(folder, "models.yaml"), filepath.Join(folder, "empty.json")
	for path, text := range map[string]string{file: "llmModels: {}", empty: ""} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := func(wantCode int, wantAsked, want string, args ...string) {
		t.Helper()
		asked = ""
		code, out, failed := fluidmcp(t, append([]string{"apply", "--url", gateway.URL}, args...)...)
		if code != wantCode || asked != wantAsked || !strings.Contains(out+failed, want) {
			t.Errorf("apply %v: exit %d, asked %q, want %q; printed %q %q, want %q", args, code, asked, wantAsked, out, failed, want)
		}
	}
	const post = "POST /api/llm/apply?dry_run="
	f(0, post+"false ", "~ m   no server is touched\n    limits.queue  1 -> 2  none\n\nApplied; `fluidmcp ps` shows how it goes on.\n")
	f(0, post+"true ", "    limits.queue  1 -> 2  none\n\nNothing was changed: this was a dry run.\n", "--dry-run")
	f(0, post+"false&name=models.yaml llmModels: {}", "Applied", file)
	f(0, post+"true&name=models.yaml llmModels: {}", changes, file, "--dry-run", "--json")
	f(1, "", "the file is empty", empty)
	answer = `{"models":[]}`
	f(0, post+"false ", "Nothing changes.\n")
	answer = `{"error":{"message":"Over HTTP this cannot be changed.","code":"remote_commands_not_allowed"}}`
	f(1, post+"false ", "fluidmcp: Over HTTP this cannot be changed.\n")
	answer = `{"error":{"message":"The API key x has not the scope admin.","code":"insufficient_scope"}}`
	f(1, post+"false ", "Set FLUIDMCP_API_KEY")
	http.DefaultClient.CloseIdleConnections()
}

// A rehearsal has mocks in the place of vLLM and of servers elsewhere.
func TestRehearsalPlan(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		args = append([]string{"run", "../../examples/vllm-profile.json", "--mock", "--start-server=false"}, args...)
		if code, out, failed := fluidmcp(t, args...); code != 0 || !strings.Contains(out, want) {
			t.Errorf("%v: exit %d %s%s, want %s", args, code, out, failed, want)
		}
	}
	const line = "mockvllm serve meta-llama/Llama-3.1-8B-Instruct --port 8002 --host 127.0.0.1 --enable-prefix-caching --max-model-len 8192"
	f(line + "\n")
	f(line+" --mock-load-time 10s\n", "--mock-load-time", "10s")
	f(line+" --mock-load-time 4.6s\n", "--mock-load-time", "0.1") // of the 46 s for 8 billion parameters
	f("vllm-profile.json --mock\n")
	code, out, failed := fluidmcp(t, "run", "../../examples/external-partner.json", "--mock", "--start-server=false")
	if code != 0 || !strings.Contains(out, "PARTNER_KEY is not set: a made-up value") || !strings.Contains(out, "mockvllm serve partner/large --host 127.0.0.1 --port ") || !strings.Contains(out, "is a mock on this machine") {
		t.Errorf("exit %d %s%s", code, out, failed)
	}
}
