package telemetry

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// both writes an entry by our core and by zap's within it.
func both(t *testing.T, e zapcore.Entry, fields ...zap.Field) (ours, theirs string, plain bool) {
	t.Helper()
	var out bytes.Buffer
	log, err := NewLogger(&out, "debug")
	if err != nil {
		t.Fatal(err)
	}
	c := log.Core().(*core)
	write := func(c zapcore.Core) string {
		out.Reset()
		if err := c.Write(e, fields); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	_, plain = appendLine(nil, e, fields)
	return write(c), write(c.Core), plain
}

// TestLines: a line is the same whoever writes it.
func TestLines(t *testing.T) {
	at := time.Date(2026, 2, 28, 23, 59, 59, 120_000_000, time.UTC)
	f := func(name string, wantPlain bool, e zapcore.Entry, fields ...zap.Field) {
		t.Run(name, func(t *testing.T) {
			ours, theirs, plain := both(t, e, fields...)
			if diff := cmp.Diff(theirs, ours); diff != "" || plain != wantPlain {
				t.Errorf("plain: %v (-zap +ours):\n%s", plain, diff)
			}
		})
	}
	request := zapcore.Entry{Level: zap.InfoLevel, Time: at, Message: "request"}
	f("no field", true, request)
	f("a request", true, request, zap.String("method", "POST"), zap.String("path", "/v1/chat/completions"), zap.Int("status", 200),
		zap.Int64("bytes", 1<<40), zap.Duration("duration", 1234567*time.Nanosecond), zap.String("key", ""))
	f("a warning with a name", true, zapcore.Entry{Level: zap.WarnLevel, Time: at.In(time.FixedZone("", -9000)), LoggerName: "fleet", Message: "late"})
	for _, d := range []time.Duration{0, 1, -1, 10, time.Second, -time.Minute, math.MaxInt64, math.MinInt64, 123456789012345678} {
		f(d.String(), true, request, zap.Duration("took", d), zap.Int64("n", int64(d)))
	}
	for _, zone := range []*time.Location{time.FixedZone("IST", 19800), time.FixedZone("EST", -18000), time.UTC, time.Local} {
		for _, later := range []time.Duration{0, 1, time.Second, time.Minute + 1_000_000, 200 * 24 * time.Hour} {
			e := request
			e.Time = at.Add(later).In(zone)
			f(e.Time.String(), true, e)
		}
	}
	f("quoted", false, request, zap.String("path", `/a"b\c`))
	f("a control character", false, request, zap.String("path", "/\n\x01"))
	f("umlauts", false, request, zap.String("path", "/ä€\xff"))
	f("an odd key", false, request, zap.Int("a\tb", 1))
	f("an odd message", false, zapcore.Entry{Time: at, Message: "ü"})
	f("an odd name", false, zapcore.Entry{Time: at, LoggerName: "\""})
	f("no time", false, zapcore.Entry{Message: "m"})
	f("a stack", false, zapcore.Entry{Level: zap.ErrorLevel, Time: at, Message: "m", Stack: "main.main"})
	f("a caller", false, zapcore.Entry{Time: at, Caller: zapcore.NewEntryCaller(1, "a/b/c.go", 9, true)})
	f("other fields", false, request, zap.Int("n", 1), zap.Error(errors.New("broken")), zap.Strings("names", []string{"a"}), zap.Bool("b", true))
	f("a namespace", false, request, zap.Namespace("inner"), zap.Int("n", 1))
}

// FuzzLines: whatever a client has sent, the line is zap's.
func FuzzLines(f *testing.F) {
	f.Add("request", "path", "/v1/chat/completions", int64(1234567))
	f.Add("m\"", "\\", "ä\xf0", int64(-1))
	f.Fuzz(func(t *testing.T, message, key, text string, n int64) {
		e := zapcore.Entry{Time: time.Unix(n/1e9, n%1e9), Message: message, LoggerName: key}
		if ours, theirs, _ := both(t, e, zap.String(key, text), zap.Duration("d", time.Duration(n)), zap.Int64("n", n)); ours != theirs {
			t.Errorf("%q, zap writes %q", ours, theirs)
		}
	})
}

// TestLoggerWithFields: what a logger says with each line is not lost.
func TestLoggerWithFields(t *testing.T) {
	var out bytes.Buffer
	log, err := NewLogger(&out, "info")
	if err != nil {
		t.Fatal(err)
	}
	log.With(zap.String("unit", "a")).Named("n").Info("up", zap.Int("port", 1))
	if want := `"logger":"n","msg":"up","unit":"a","port":1}`; !bytes.Contains(out.Bytes(), []byte(want)) {
		t.Errorf("%s has no %s", &out, want)
	}
}

// BenchmarkLine compares a request's line by our core with that by zap's.
func BenchmarkLine(b *testing.B) {
	log, err := NewLogger(io.Discard, "info")
	if err != nil {
		b.Fatal(err)
	}
	ours := log.Core().(*core)
	e := zapcore.Entry{Level: zap.InfoLevel, Time: time.Date(2026, 11, 30, 8, 3, 41, 161935386, time.UTC), Message: "request"}
	fields := []zap.Field{zap.String("method", "POST"), zap.String("path", "/v1/chat/completions"), zap.Int("status", 200),
		zap.Int64("bytes", 1024), zap.Duration("duration", 1163942), zap.String("request_id", "b4ccc38f8c6c4f4c"), zap.String("remote", "127.0.0.1:54370"),
		zap.String("model", "llama"), zap.String("endpoint", "chat_completions"), zap.String("key", "team-a"), zap.String("backend", "llama-0"),
		zap.Int("attempts", 1), zap.Int("prompt_tokens", 200), zap.Int("completion_tokens", 100)}
	for name, c := range map[string]zapcore.Core{"ours": ours, "zap": ours.Core} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := c.Write(e, fields); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
