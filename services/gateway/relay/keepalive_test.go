package relay_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
)

func TestKeepAlive(t *testing.T) {
	w := httptest.NewRecorder()
	k := relay.NewKeepAlive(w)
	if k.Begun() || w.Body.Len() > 0 || (*relay.KeepAlive)(nil).Begun() {
		t.Errorf("begun with %q", w.Body)
	}
	k.Comment()
	k.Comment()
	if got := w.Body.String(); !k.Begun() || got != ": waiting\n\n: waiting\n\n" || !w.Flushed || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		t.Errorf("sent %q with %v", got, w.Header())
	}
	relay.Fail(w, relay.EndDone, &openai.Error{Type: openai.TypeUnavailable, Code: "queue_full", Message: "full"})
	if got := w.Body.String(); !strings.HasSuffix(got, "\n\ndata: {\"error\":{\"message\":\"full\",\"type\":\"service_unavailable\",\"param\":null,\"code\":\"queue_full\"}}\n\n") {
		t.Errorf("sent %q", got)
	}
	relay.Fail(w, relay.EndMessage, &openai.Error{Type: openai.TypeUnavailable, Message: "full"})
	if got := w.Body.String(); !strings.Contains(got, "\n\nevent: error\ndata: {\"type\":\"error\"") {
		t.Errorf("sent %q", got)
	}
}

// TestBegunAnswers: status and header are lost, so an answer that is no stream becomes an event.
func TestBegunAnswers(t *testing.T) {
	f := func(name, contentType, want string, outcome relay.Outcome, pieces ...piece) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := func(o *relay.Options) { o.Idle = time.Second }
				r := playInto(t, contentType, true, begun, pieces...)
				if r.err != nil || r.result.Outcome != outcome || r.recorder.Body.String() != want || r.recorder.Header().Get("Content-Type") == contentType {
					t.Errorf("%v, %+v, sent %q with %v; want %q", r.err, r.result, r.recorder.Body, r.recorder.Header(), want)
				}
			})
		})
	}
	f("stream", events, token("a")+done, relay.Completed, piece{text: token("a") + done}, piece{err: io.EOF})
	f("refusal", "application/json", "data: {\"error\":{\"message\":\"no\"}}\n\n", relay.Failed, piece{text: "{\"error\":{\"message\":\"no\"}}\n"}, piece{err: io.EOF})
}
