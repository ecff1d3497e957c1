package openai

import (
	"errors"
	"io"
	"net/http/httptest"
	"testing"
	"time"
)

func TestErrorWrite(t *testing.T) {
	f := func(e *Error, wantBody, wantRetry string) {
		t.Helper()
		rec := httptest.NewRecorder()
		e.Write(rec)
		if rec.Code != e.Status || rec.Body.String() != wantBody || rec.Header().Get("Retry-After") != wantRetry {
			t.Errorf("Write(%+v) = %d %q Retry-After %q; want body %q Retry-After %q",
				e, rec.Code, rec.Body, rec.Header().Get("Retry-After"), wantBody, wantRetry)
		}
		if got := rec.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type = %q", got)
		}
	}
	f(&Error{Status: 404, Type: TypeNotFound, Code: "model_not_found", Param: "model", Message: "no"},
		`{"error":{"message":"no","type":"not_found_error","param":"model","code":"model_not_found"}}`, "")
	f(&Error{Status: 503, Type: TypeUnavailable, Message: "later", RetryAfter: 1200 * time.Millisecond},
		`{"error":{"message":"later","type":"service_unavailable","param":null,"code":null}}`, "2")
	f(&Error{Status: 502, Type: TypeUpstream, Code: "x", Message: "m", Cause: io.EOF},
		`{"error":{"message":"m","type":"upstream_error","param":null,"code":"x"}}`, "")
}

func TestErrorCauseIsForTheLogOnly(t *testing.T) {
	e := &Error{Status: 502, Message: "Model server gone.", Cause: io.ErrUnexpectedEOF}
	if got := e.Error(); got != "Model server gone: unexpected EOF" {
		t.Errorf("Error() = %q", got)
	}
	if !errors.Is(e, io.ErrUnexpectedEOF) {
		t.Error("the cause is not reachable by errors.Is")
	}
}
