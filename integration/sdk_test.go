package integration

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// The SDKs wait and try again after a failure. The scenarios look at the first answer.
const sdkRateLimited = `{"rules":[{"do":{"rate_limit":{"requests":1,"window":"60s"}}}]}`

func goSDK(t *testing.T, s *stack) {
	ctx := t.Context()
	sdk := openai.NewClient(option.WithBaseURL(s.gateway+"/v1"), option.WithAPIKey("unused"), option.WithMaxRetries(0), option.WithHTTPClient(clientOf(t)))
	ask := func(model string) openai.ChatCompletionNewParams {
		return openai.ChatCompletionNewParams{
			Model:    model,
			Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello, how are you?")},
		}
	}
	got, err := sdk.Chat.Completions.New(ctx, ask(mockLLM))
	if err != nil || got.Choices[0].Message.Content != helloAnswer {
		t.Fatalf("chat: %v %+v", err, got)
	}
	chunks := sdk.Chat.Completions.NewStreaming(ctx, ask(mockLLM))
	var text strings.Builder
	for chunks.Next() {
		text.WriteString(chunks.Current().Choices[0].Delta.Content)
	}
	if chunks.Err() != nil || text.String() != helloAnswer {
		t.Errorf("stream: %q, %v", text.String(), chunks.Err())
	}

	wantStatus := func(model string, status int) {
		t.Helper()
		var failure *openai.Error
		if _, err := sdk.Chat.Completions.New(ctx, ask(model)); !errors.As(err, &failure) || failure.StatusCode != status {
			t.Errorf("%s: %v, want status %d", model, err, status)
		}
	}
	wantStatus("nobody", http.StatusNotFound)
	s.faults(t, mockLLM, sdkRateLimited)
	if err := s.ask(t, mockLLM); err != nil {
		t.Fatal(err)
	}
	wantStatus(mockLLM, http.StatusTooManyRequests)

	interrupted := sdk.Chat.Completions.NewStreaming(ctx, ask(mockGPT))
	for killed := false; interrupted.Next(); {
		if c := interrupted.Current().Choices; !killed && len(c) > 0 && c[0].Delta.Content != "" {
			killed = true
			s.kill(t, mockGPT)
		}
	}
	if err := interrupted.Err(); err == nil {
		t.Error("the SDK took a cut stream for a whole one")
	}
	s.revive(t, mockGPT)
	eventually(t, func() error { return s.ask(t, mockGPT) })
}

// pythonSDK runs testdata/sdk.py with the official package. The script says "kill" on its output when a stream runs.
func pythonSDK(t *testing.T, s *stack) {
	python := pythonWithOpenAI(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.faults(t, mockLlama, sdkRateLimited)
	cmd := exec.CommandContext(ctx, python, "testdata/sdk.py", s.gateway, mockLLM, mockLlama, mockGPT)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if said, err := bufio.NewReader(out).ReadString('\n'); err != nil || said != "kill\n" {
		t.Errorf("the script said %q, %v", said, err)
	}
	s.kill(t, mockGPT)
	if err := cmd.Wait(); err != nil {
		t.Errorf("testdata/sdk.py: %v", err)
	}
	s.revive(t, mockGPT)
	eventually(t, func() error { return s.ask(t, mockGPT) })
}

// pythonWithOpenAI returns an interpreter that has the packages of testdata/requirements.txt, from a virtual environment
// below the user's cache that is made once for each state of that file.
func pythonWithOpenAI(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	const requirements = "testdata/requirements.txt"
	venv := filepath.Join(cache, "fluidmcp", "venv-"+contentHash(t, requirements))
	python := filepath.Join(venv, "bin", "python")
	ready := filepath.Join(venv, "complete")
	if _, err := os.Stat(ready); err == nil {
		return python
	}
	system, err := exec.LookPath("python3")
	if err != nil {
		missing(t, "FLUIDMCP_REQUIRE_PYTHON", "python3 is not installed")
	}
	for _, argv := range [][]string{
		{system, "-m", "venv", "--clear", venv},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements},
	} {
		if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
			missing(t, "FLUIDMCP_REQUIRE_PYTHON", strings.Join(argv, " ")+": "+err.Error()+"\n"+string(out))
		}
	}
	if err := os.WriteFile(ready, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return python
}
