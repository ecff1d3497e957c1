package journal

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Outcomes of a request.
const (
	Done    = "done"    // the whole answer was written, a stream with its [DONE]
	Refused = "refused" // answered with a status of 400 or more
	Aborted = "aborted" // the client left first
)

// Record is one request that is over. Times have the resolution of the machine's clock.
type Record struct {
	RequestID  string     `json:"request_id"` // X-Request-Id, else the one that the answer's id is made of
	Method     string     `json:"method"`
	Path       string     `json:"path"`
	Stream     bool       `json:"stream"`
	Status     int        `json:"status"`         // 0 when the client left before an answer
	ReceivedAt time.Time  `json:"received_at"`    // its header had been read
	FirstToken *time.Time `json:"first_token_at"` // the frame with the first token was about to be written; null without one
	FinishedAt time.Time  `json:"finished_at"`    // the last bytes were about to be written, or the client was found to have left
	Chunks     int        `json:"chunks"`         // frames written of a stream, without [DONE]
	Tokens     int        `json:"tokens"`         // generated tokens written
	Outcome    string     `json:"outcome"`        // Done, Refused or Aborted
}

// Entry is the record of a request that runs. Its goroutine alone touches it.
type Entry struct {
	record Record
	ended  bool
}

type entryKey struct{}

// longest bounds what a client can make the journal keep of its strings, in bytes.
const longest = 256

func short(s string) string { return strings.Clone(s[:min(len(s), longest)]) }

// Middleware records each request that passes through it.
func (j *Journal) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := &Entry{record: Record{ReceivedAt: time.Now(), RequestID: short(r.Header.Get("X-Request-Id")), Method: short(r.Method), Path: short(r.URL.Path)}}
		next.ServeHTTP(&writer{w, e}, r.WithContext(context.WithValue(r.Context(), entryKey{}, e)))
		j.add(e.end())
	})
}

// Of returns the entry of the request that ctx belongs to. Outside of the middleware it is one that nobody reads.
func Of(ctx context.Context) *Entry {
	if e, ok := ctx.Value(entryKey{}).(*Entry); ok {
		return e
	}
	return &Entry{}
}

// Named tells the id that the answer has, for a request that brought none in its header.
func (e *Entry) Named(id string) {
	if e.record.RequestID == "" {
		e.record.RequestID = short(id)
	}
}

// Streams tells that the answer is an event stream.
func (e *Entry) Streams() { e.record.Stream = true }

// Chunk counts a frame of a stream that was written, and the tokens in it. at is from right before the write.
func (e *Entry) Chunk(at time.Time, tokens int) {
	e.record.Chunks++
	e.record.FinishedAt = at
	e.Tokens(tokens)
	if tokens > 0 && e.record.FirstToken == nil {
		e.record.FirstToken = &at
	}
}

// Tokens counts generated tokens that were written.
func (e *Entry) Tokens(n int) { e.record.Tokens += n }

// Done tells that the end of a stream was written. at is from right before the write.
func (e *Entry) Done(at time.Time) { e.record.FinishedAt, e.ended = at, true }

func (e *Entry) end() Record {
	r := &e.record
	switch {
	case r.Status >= http.StatusBadRequest:
		r.Outcome = Refused
	case r.Status == 0 || r.Stream && !e.ended:
		r.Outcome, r.FinishedAt = Aborted, time.Now()
	default:
		r.Outcome = Done
	}
	return *r
}

// writer notes the status, and when it was sent: the body of a plain answer follows at once.
type writer struct {
	http.ResponseWriter
	entry *Entry
}

func (w *writer) WriteHeader(status int) {
	w.entry.record.Status, w.entry.record.FinishedAt = status, time.Now()
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
