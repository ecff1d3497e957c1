package web

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fluidmcp/fluidmcp/internal/clip"
	"github.com/fluidmcp/fluidmcp/internal/reqctx"
	"github.com/fluidmcp/fluidmcp/internal/secret"
)

// RequestIDHeader carries the id that ties a request's traces together. vLLM builds the id of its answer from it.
const RequestIDHeader = "X-Request-Id"

// StatusClientClosed is recorded, never sent, for a request whose client left before the answer was complete.
// nginx coined the number.
const StatusClientClosed = 499

// Record collects what the log line of one request will say. It belongs to the goroutine that serves the request.
type Record struct {
	Started time.Time
	ID      string // request id
	Made    bool   // the id was made here
	Status  int    // as sent, or StatusClientClosed; 0 until a header was written
	Bytes   int64  // of the body, as written
	Err     error  // why it failed, in full
	fields  []zap.Field
	took    time.Duration
}

// Add appends fields to the log line.
func (r *Record) Add(fields ...zap.Field) { r.fields = append(r.fields, fields...) }

// Took is how long the request took. It is asked at its end, and then says the same to everyone.
func (r *Record) Took() time.Duration {
	if r.took == 0 {
		r.took = time.Since(r.Started)
	}
	return r.took
}

type recordKey struct{}

// RecordOf returns the record of the request that ctx belongs to. Outside of Logged it returns one that nobody reads.
func RecordOf(ctx context.Context) *Record {
	if r, ok := ctx.Value(recordKey{}).(*Record); ok {
		return r
	}
	return &Record{}
}

// Logged gives each request an id (the client's, or a new one), returns it in the response, and writes one line when
// the request is over, whatever became of it.
func Logged(log *zap.Logger, next http.Handler) http.Handler { return &logged{log, next} }

type logged struct {
	log  *zap.Logger
	next http.Handler
}

func (l *logged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w, Context: r.Context()}
	rec.record.Started = time.Now()
	fields := lines.Get().(*[]zap.Field)
	rec.record.fields = (*fields)[:ownFields]
	w.Header()[RequestIDHeader] = rec.identify(r)
	rec.request = *r.WithContext(rec)
	r = &rec.request
	defer func() { // also when the handler aborts by panic
		rec.record.log(l.log, r)
		*fields, rec.record.fields = rec.record.fields, nil
		clear(*fields)
		lines.Put(fields)
	}()
	l.next.ServeHTTP(rec, r)
	if rec.record.Status == 0 {
		rec.record.Status = http.StatusOK // net/http sends this for a handler that writes nothing
	}
}

// identify notes the client's id, or a new one, and returns it as a value of a header. What could not stand in a log, a URL or a header
// of another server as it is gets replaced, and so do several ids.
func (w *recorder) identify(r *http.Request) []string {
	ids := r.Header[RequestIDHeader]
	if len(ids) != 1 || !validID(ids[0]) || secret.MaskOf(r, ids[0]) != ids[0] {
		w.id[0], w.record.Made = newRequestID(), true
		ids = w.id[:]
		r.Header[RequestIDHeader] = ids
	}
	w.record.ID = ids[0]
	return ids[:1:1]
}

func validID(id string) bool {
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == ':':
		default:
			return false
		}
	}
	return id != "" && len(id) <= 128
}

// newRequestID makes an id of vLLM's own form, 16 hex digits.
func newRequestID() string {
	var random [8]byte
	binary.BigEndian.PutUint64(random[:], rand.Uint64())
	var id [16]byte
	hex.Encode(id[:], random[:])
	return string(id[:])
}

// ownFields are those at the front of each line.
const ownFields = 7

// lines are the fields of requests that are over, to be used again.
var lines = sync.Pool{New: func() any {
	fields := make([]zap.Field, ownFields, 3*ownFields)
	return &fields
}}

func (r *Record) log(log *zap.Logger, req *http.Request) {
	level := zap.InfoLevel
	if r.Status >= http.StatusInternalServerError {
		level = zap.WarnLevel
	}
	took := r.Took() // of the core, because the logger would ask the clock once more
	line := log.Core().Check(zapcore.Entry{Level: level, Time: r.Started.Add(took), LoggerName: log.Name(), Message: "request"}, nil)
	if line == nil {
		return
	}
	copy(r.fields, []zap.Field{ // a header may have 64 KiB, and nobody has to fill the disk for it
		zap.String("method", clip.Text(secret.Mask(req.Method), 32)),
		zap.String("path", clip.Text(secret.MaskOf(req, req.URL.Path), 1<<10)),
		zap.Int("status", r.Status),
		zap.Int64("bytes", r.Bytes),
		zap.Duration("duration", took),
		zap.String("request_id", r.ID),
		zap.String("remote", req.RemoteAddr),
	})
	if r.Err != nil {
		r.Add(zap.String("error", secret.MaskOf(req, r.Err.Error())))
	}
	line.Write(r.fields...)
}

// recorder notes status and size on their way out. It is the request's context as well, and has the request itself, so that
// these cost one allocation together.
type recorder struct {
	http.ResponseWriter
	context.Context
	record  Record
	request http.Request
	id      [1]string // that was made here
}

// AfterFunc lets what derives from this context hang on to the one below (package reqctx).
func (w *recorder) AfterFunc(f func()) (stop func() bool) { return reqctx.AfterFunc(w.Context, f).Stop }

// Ends is for reqctx.Of.
func (w *recorder) Ends() *reqctx.Context { return reqctx.Of(w.Context) }

// Value finds the record, and what the context below holds.
func (w *recorder) Value(key any) any {
	if key == (recordKey{}) {
		return &w.record
	}
	return w.Context.Value(key)
}

func (w *recorder) WriteHeader(status int) {
	if status >= http.StatusOK && w.record.Status == 0 { // 1xx are not the answer
		w.record.Status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.record.Status == 0 {
		w.record.Status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.record.Bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// FlushError is what http.ResponseController looks for first.
func (w *recorder) FlushError() error { return http.NewResponseController(w.ResponseWriter).Flush() }

// Flush serves libraries that look for http.Flusher instead of http.ResponseController.
func (w *recorder) Flush() { _ = w.FlushError() }

// Hijack serves protocol upgrades.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}
