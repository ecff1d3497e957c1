package telemetry

import (
	"bytes"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fluidmcp/fluidmcp/internal/octets"
)

// core writes lines of plain fields itself, byte for byte as the core in it would, at a quarter of the cost: services write one for
// each request. Every other line is that core's, and so are those of loggers with fields of their own.
type core struct {
	zapcore.Core
	out zapcore.WriteSyncer
}

// Check has Write called, not that of the core within.
func (c *core) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return to.AddCore(e, c)
	}
	return to
}

// lines are buffers for one line each.
var lines = sync.Pool{New: func() any { return new([]byte) }}

// maxLine is the largest of these that is used again.
const maxLine = 8 << 10

func (c *core) Write(e zapcore.Entry, fields []zap.Field) error {
	buf := lines.Get().(*[]byte)
	line, plain := appendLine((*buf)[:0], e, fields)
	var err error
	if plain {
		_, err = c.out.Write(line)
	} else {
		err = c.Core.Write(e, fields)
	}
	if cap(line) <= maxLine {
		*buf = line
		lines.Put(buf)
	}
	return err
}

// appendLine reports false for what is not plain: it is then left to zap, which knows how to write anything.
func appendLine(b []byte, e zapcore.Entry, fields []zap.Field) (line []byte, plain bool) {
	if e.Level > zap.ErrorLevel || e.Time.IsZero() || e.Caller.Defined || e.Stack != "" || !isPlain(e.LoggerName) || !isPlain(e.Message) {
		return b, false
	}
	b = append(append(b, `{"level":"`...), e.Level.String()...)
	b = append(appendTime(append(b, `","ts":"`...), e.Time), '"')
	if e.LoggerName != "" {
		b = appendString(append(b, `,"logger":`...), e.LoggerName)
	}
	b = appendString(append(b, `,"msg":`...), e.Message)
	for i := range fields {
		f := &fields[i]
		if !isPlain(f.Key) {
			return b, false
		}
		b = append(appendString(append(b, ','), f.Key), ':')
		switch {
		case f.Type == zapcore.StringType && isPlain(f.String):
			b = appendString(b, f.String)
		case f.Type == zapcore.Int64Type:
			b = strconv.AppendInt(b, f.Integer, 10)
		case f.Type == zapcore.DurationType:
			b = appendSeconds(b, time.Duration(f.Integer))
		default:
			return b, false
		}
	}
	return append(b, "}\n"...), true
}

// appendString appends plain text in quotes.
func appendString(b []byte, text string) []byte { return append(append(append(b, '"'), text...), '"') }

// second is the beginning and the end of all times within one.
type second struct {
	unix        int64
	place       *time.Location
	begin, zone string
}

var lastSecond atomic.Pointer[second]

// appendTime writes t as time.RFC3339Nano. All but its fraction is that of the line before, nearly always.
func appendTime(b []byte, t time.Time) []byte {
	last := lastSecond.Load()
	if last == nil || last.unix != t.Unix() || last.place != t.Location() {
		last = &second{t.Unix(), t.Location(), t.Format("2006-01-02T15:04:05"), t.Format("Z07:00")}
		lastSecond.Store(last)
	}
	return append(appendFraction(append(b, last.begin...), t.Nanosecond()), last.zone...)
}

// appendFraction writes nanoseconds as a part of a second, after a point, if there are any.
func appendFraction(b []byte, ns int) []byte {
	if ns == 0 {
		return b
	}
	b = strconv.AppendInt(b, int64(time.Second)+int64(ns), 10) // the one keeps the zeros behind it
	b[len(b)-10] = '.'
	return bytes.TrimRight(b, "0")
}

// appendSeconds writes a time as zap does, with as many digits as tell it from every other.
func appendSeconds(b []byte, d time.Duration) []byte {
	const exact = 1e15 // below it a float64 is told by the decimal digits that it was made of
	if d < 0 || d >= exact {
		return strconv.AppendFloat(b, float64(d)/float64(time.Second), 'f', -1, 64)
	}
	return appendFraction(strconv.AppendInt(b, int64(d/time.Second), 10), int(d%time.Second))
}

// isPlain tells ASCII text that needs no escape.
func isPlain(text string) bool {
	for ; len(text) >= 8; text = text[8:] {
		if word := octets.Word(text); octets.Special(word)|word&octets.High != 0 {
			return false
		}
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
