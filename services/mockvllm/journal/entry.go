package journal

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// Outcomes of a request.
const (
	Done    = "done"    // the whole answer was written, a stream with its [DONE]
	Refused = "refused" // answered with a status of 400 or more
	Aborted = "aborted" // it got no whole answer, or one with the finish reason abort
)

// Who aborted a request.
const (
	ByClient = "client" // left
	ByServer = "server" // stopped, or its engine died
	ByFault  = "fault"  // broke the answer off
)

// Record is one request that is over. Times have the resolution of the machine's clock.
type Record struct {
	RequestID  string              `json:"request_id"` // X-Request-Id, else the one that the answer's id is made of
	Connection int64               `json:"connection"` // the how manieth of the server
	Method     string              `json:"method"`
	Path       string              `json:"path"`
	Header     map[string][]string `json:"header"`      // by canonical name, without secrets; what is beyond 2 KB is left out
	Key        string              `json:"key"`         // the first 12 digits of the SHA-256 of the API key, "" without one
	BodyBytes  int                 `json:"body_bytes"`  // of the request, as far as it was read
	BodySHA256 string              `json:"body_sha256"` // "" when nothing was read

	Stream     bool       `json:"stream"`
	Status     int        `json:"status"`         // 0 when the client left before an answer
	ReceivedAt time.Time  `json:"received_at"`    // its header had been read
	FirstToken *time.Time `json:"first_token_at"` // the frame with the first token was about to be written; null without one
	FinishedAt time.Time  `json:"finished_at"`    // the last bytes were about to be written, or the client was found to have left
	Chunks     int        `json:"chunks"`         // frames written of a stream, without [DONE]
	Tokens     int        `json:"tokens"`         // generated tokens written
	Outcome    string     `json:"outcome"`        // Done, Refused or Aborted
	AbortedBy  string     `json:"aborted_by"`     // ByClient, ByServer, ByFault or ""
	Rules      []int      `json:"rules"`          // of faults that were at work, by their place in the list that was set then, from 0

	// A server cannot know when a client left, only when it last wrote to it and when it found out. Null unless ByClient.
	NoticedMS *float64 `json:"noticed_ms"` // from the last bytes written, without any from ReceivedAt, to FinishedAt
	FreedMS   *float64 `json:"freed_ms"`   // from FinishedAt until the engine had given the request's place away
}

// Entry is the record of a request that runs. Its goroutine alone touches it.
type Entry struct{ kept }

type entryKey struct{}

// longest bounds what a client can make the journal keep of its strings, in bytes.
const longest = 256

func short(s string) string { return strings.Clone(s[:min(len(s), longest)]) }

// Middleware records each request that passes through it. connection numbers the connections by the client's address.
func (j *Journal) Middleware(connection func(addr string) int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &writer{journal: j}
		rec.entry.begin(r, connection(r.RemoteAddr))
		r = uvicorn.With(r, entryKey{}, &rec.entry)
		rec.ctx = r.Context() // the request itself is not held: an answer may take long
		rec.ResponseWriter, rec.Ender = w, rec
		j.inFlight.Add(1)
		rec.Answer(func() { next.ServeHTTP(rec, r) })
	})
}

func (e *Entry) begin(r *http.Request, connection int64) {
	e.header = pack(r.Header)
	k := &e.record
	k.ReceivedAt, k.Method, k.Path, k.Connection, k.Key = time.Now(), r.Method, r.URL.Path, connection, keyOf(r.Header)
	if id := r.Header["X-Request-Id"]; len(id) > 0 {
		k.RequestID = short(id[0])
	}
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

// Body tells the body that was read.
func (e *Entry) Body(b []byte) { e.record.BodyBytes, e.body = len(b), sha256.Sum256(b) }

// Streams tells that the answer is an event stream.
func (e *Entry) Streams() { e.record.Stream = true }

// Chunk counts a frame of a stream that was written, and the tokens in it. at is from right before the write.
func (e *Entry) Chunk(at time.Time, tokens int) {
	e.record.Chunks++
	e.record.FinishedAt = at
	e.Tokens(tokens)
	if tokens > 0 && e.record.FirstToken == nil {
		first := at // so that only this one is allocated
		e.record.FirstToken = &first
	}
}

// Tokens counts generated tokens that were written.
func (e *Entry) Tokens(n int) { e.record.Tokens += n }

// Done tells that the end of a stream was written. at is from right before the write.
func (e *Entry) Done(at time.Time) { e.record.FinishedAt, e.record.Outcome = at, Done }

// Broken tells who aborted the answer, other than the client, of whom Left tells.
func (e *Entry) Broken(by string) {
	if e.record.AbortedBy == "" {
		e.record.AbortedBy = by
	}
}

// Sent tells the status of an answer that was written past the middleware.
func (e *Entry) Sent(status int) {
	if e.record.Status == 0 {
		e.record.Status = status
	}
}

// Hit tells which rules of faults are at work.
func (e *Entry) Hit(rules []int) { e.record.Rules = rules }

// Left tells that the client was just found to have left, before anything is done about it.
func (e *Entry) Left() {
	r := &e.record
	if r.AbortedBy != "" {
		return
	}
	last := r.FinishedAt
	if last.IsZero() {
		last = r.ReceivedAt
	}
	r.AbortedBy, r.FinishedAt = ByClient, time.Now()
	r.NoticedMS = milliseconds(r.FinishedAt.Sub(last))
}

func milliseconds(d time.Duration) *float64 {
	ms := float64(d) / float64(time.Millisecond)
	return &ms
}

func (e *Entry) end(ctx context.Context) {
	r := &e.record
	incomplete := r.Status == 0 || r.Stream && r.Outcome != Done
	switch {
	case r.AbortedBy == "" && r.Status >= http.StatusBadRequest:
		r.Outcome = Refused
		return
	case r.AbortedBy == "" && !incomplete:
		r.Outcome = Done
		return
	case r.AbortedBy == "" && ctx.Err() == nil:
		e.Broken(ByServer)
	case r.AbortedBy == "":
		e.Left()
	}
	r.Outcome = Aborted
	if r.AbortedBy == ByClient {
		r.FreedMS = milliseconds(time.Since(r.FinishedAt))
	}
	if r.FinishedAt.IsZero() {
		r.FinishedAt = time.Now()
	}
}

// writer notes the status, and when it was sent: the body of a plain answer follows at once.
type writer struct {
	uvicorn.Whole
	journal *Journal
	ctx     context.Context // of the request whose answer this is
	entry   Entry
}

// Over keeps the record.
func (w *writer) Over(bool) {
	w.entry.end(w.ctx)
	w.journal.add(&w.entry.kept)
}

func (w *writer) WriteHeader(status int) {
	w.entry.record.Status, w.entry.record.FinishedAt = status, time.Now()
	w.ResponseWriter.WriteHeader(status)
}
