package anthropic_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/anthropic"
	"github.com/fluidmcp/fluidmcp/internal/openai"
)

func TestWrite(t *testing.T) {
	f := func(e *openai.Error, wantBody, wantRetry string) {
		t.Helper()
		rec := httptest.NewRecorder()
		anthropic.Write(e, rec)
		if rec.Code != e.Status || rec.Body.String() != wantBody || rec.Header().Get("Retry-After") != wantRetry {
			t.Errorf("Write(%+v) = %d %q Retry-After %q; want body %q Retry-After %q",
				e, rec.Code, rec.Body, rec.Header().Get("Retry-After"), wantBody, wantRetry)
		}
	}
	f(&openai.Error{Status: 404, Type: openai.TypeNotFound, Code: "model_not_found", Param: "model", Message: "no"},
		`{"type":"error","error":{"type":"not_found_error","message":"no","details":{"error_code":"model_not_found"}}}`, "")
	f(&openai.Error{Status: 503, Type: openai.TypeUnavailable, Message: "later", RetryAfter: time.Second},
		`{"type":"error","error":{"type":"overloaded_error","message":"later"}}`, "1")
	f(&openai.Error{Status: 502, Type: openai.TypeUpstream, Code: "x", Message: "m"},
		`{"type":"error","error":{"type":"api_error","message":"m","details":{"error_code":"x"}}}`, "")
}
