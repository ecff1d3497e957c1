//go:build linux

package http1

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
)

func appendStatus(out []byte, status int) []byte {
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(out, ' ')
	out = append(out, http.StatusText(status)...)
	return append(out, "\r\n"...)
}

var newlines = strings.NewReplacer("\r", " ", "\n", " ")

// appendFields writes a header, but for the fields that are the server's to say: Transfer-Encoding, and Connection, whose values it returns.
func appendFields(out []byte, h http.Header) (_ []byte, connection []string, dated bool) {
	for name, values := range h {
		switch name {
		case "Transfer-Encoding":
			continue
		case "Connection":
			connection = values
			continue
		case "Date":
			dated = true
		}
		out = appendField(out, name, values)
	}
	return out, connection, dated
}

// appendField writes a field. What could break out of its line is left out or made harmless.
func appendField(out []byte, name string, values []string) []byte {
	if !httpfield.IsToken(name) {
		return out
	}
	for _, value := range values {
		if !httpfield.IsValue(value) {
			value = newlines.Replace(value)
		}
		out = append(append(out, name...), ": "...)
		out = append(append(out, value...), "\r\n"...)
	}
	return out
}

// date is a value of the header Date.
type date struct {
	until time.Time // when its second is over
	text  string
}

func (s *Server) dateNow() string {
	if last := s.date.Load(); last != nil && time.Until(last.until) > 0 { // which asks one clock, where time.Now asks two
		return last.text
	}
	now := time.Now()
	fresh := &date{now.Add(time.Second - time.Duration(now.Nanosecond())), now.UTC().Format(http.TimeFormat)}
	s.date.Store(fresh)
	return fresh.text
}
