package apidocs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// usual are the operations of a server with no option, in the order of its document.
const usual = `GET /load, GET /version, GET /kv_event_sources, GET /health, GET /metrics, POST /tokenize, POST /detokenize, GET /v1/models,
POST /v1/systemone, GET /ping, POST /ping, POST /invocations, POST /v1/chat/completions, POST /v1/chat/completions/batch, POST /v1/responses,
GET /v1/responses/{response_id}, POST /v1/responses/{response_id}/cancel, POST /v1/completions, POST /v1/messages,
POST /v1/messages/count_tokens, POST /generative_scoring, POST /scale_elastic_ep, POST /is_scaling_elastic_ep`

func operations(list string) map[string]bool {
	has := map[string]bool{}
	for op := range strings.SplitSeq(list, ",") {
		has[strings.TrimSpace(op)] = true
	}
	return has
}

// The sum is that of the body that vLLM 0.32.0 sent.
func TestDocumentOfTheUsualServer(t *testing.T) {
	doc, err := Document(Generate, operations(usual), "")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(doc)
	if got := hex.EncodeToString(sum[:]); got != "fb710f336fb238b1597792ab18b6384951d318a0d2dd66133b017dcc8c9d9e56" {
		t.Errorf("%d bytes with the sum %s", len(doc), got)
	}
}

func TestDocumentOfEachKind(t *testing.T) {
	f := func(kind, ops string, schemas int, root string) {
		t.Helper()
		text, err := Document(kind, operations(ops), root)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Paths      map[string]map[string]any
			Components struct{ Schemas map[string]any }
			Servers    []struct{ URL string }
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		var got []string
		for path, methods := range doc.Paths {
			for method := range methods {
				got = append(got, strings.ToUpper(method)+" "+path)
			}
		}
		slices.Sort(got)
		want := strings.Split(ops, ", ")
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
		if len(doc.Components.Schemas) != schemas {
			t.Errorf("%s: %d schemas, want %d", kind, len(doc.Components.Schemas), schemas)
		}
		if root != "" && (len(doc.Servers) != 1 || doc.Servers[0].URL != root) {
			t.Errorf("%s: servers %v", kind, doc.Servers)
		}
	}
	f(Generate, "GET /health, GET /ping, POST /ping", 0, "/llm")
	f(Generate, "POST /sleep, POST /v1/load_lora_adapter", 3, "")
	f(Tokens, "POST /abort_requests", 0, "")
	f(ScaleOut, "POST /inference/v1/abort_requests", 0, "")
	f(Embed, "POST /score, POST /v2/rerank", 17, "")
	f(Classify, "POST /classify", 46, "")
	if _, err := Document("x", nil, ""); err == nil {
		t.Error("no error for an unknown kind")
	}
}

func TestPages(t *testing.T) {
	f := func(root string, handler func(*Pages, http.ResponseWriter, *http.Request), length int, parts ...string) {
		t.Helper()
		w := httptest.NewRecorder()
		handler(NewPages(root, nil), w, nil)
		page := w.Body.String()
		for _, part := range parts {
			if !strings.Contains(page, part) {
				t.Errorf("%s lacks %s", page, part)
			}
		}
		if len(page) != length {
			t.Errorf("%d bytes, want %d", len(page), length)
		}
	}
	f("", (*Pages).Docs, 1006, "url: '/openapi.json'", "origin + '/docs/oauth2-redirect'")
	f("/llm", (*Pages).Docs, 1014, "url: '/llm/openapi.json'", "origin + '/llm/docs/oauth2-redirect'")
	f("", (*Pages).Redoc, 888, `spec-url="/openapi.json"`)
	f("/llm", (*Pages).Redoc, 892, `spec-url="/llm/openapi.json"`)
	f("/llm", (*Pages).Redirect, 3012, "swaggerUIRedirectOauth2")
}
