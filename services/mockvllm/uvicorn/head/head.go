package head

import (
	"net/http"
	"strconv"
)

// ours are set by the server alone.
func ours(name string) bool {
	return name == "Date" || name == "Server" || name == "Transfer-Encoding"
}

// Append writes status line and headers, but not the empty line at their end. Date and server are its own; those that are given are
// left out, and so is transfer-encoding.
func Append(b []byte, status int, h http.Header) []byte {
	b = appendStart(b, status)
	length, kind, vary := h["Content-Length"], h["Content-Type"], h["Vary"]
	if len(h) == 3 && len(length) == 1 && len(kind) == 1 && len(vary) == 1 { // as most answers have
		b = appendValue(append(b, "content-length: "...), length[0])
		b = appendValue(append(b, "content-type: "...), kind[0])
		return appendValue(append(b, "vary: "...), vary[0])
	}
	return appendFields(b, h)
}

// appendFields writes headers in their order.
func appendFields(b []byte, h http.Header) []byte {
	type field struct {
		name   string
		values []string
		order  int
	}
	var room [12]field
	fields := room[:0]
	preflight := h["Access-Control-Allow-Methods"] != nil
	for name, values := range h {
		if len(values) == 0 || ours(name) {
			continue
		}
		f := field{name, values, order(name, values[0], preflight)}
		i := len(fields)
		fields = append(fields, f)
		for ; i > 0 && (fields[i-1].order > f.order || fields[i-1].order == f.order && fields[i-1].name > f.name); i-- {
			fields[i] = fields[i-1]
		}
		fields[i] = f
	}
	for _, f := range fields {
		for _, v := range f.values {
			b = appendField(b, f.name, v)
		}
	}
	return b
}

func appendStart(b []byte, status int) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, phrase(status)...)
	b = append(b, "\r\ndate: "...)
	b = append(b, date()...)
	return append(b, "\r\nserver: uvicorn\r\n"...)
}

// phrase is Python's, which differs in one letter.
func phrase(status int) string {
	if status == http.StatusTeapot {
		return "I'm a Teapot"
	}
	return http.StatusText(status)
}

// appendField writes the name in lower case.
func appendField(b []byte, name, value string) []byte {
	for i := range len(name) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		b = append(b, c)
	}
	return appendValue(append(b, ": "...), value)
}

// appendValue ends a line. What would end it earlier is kept out of the value.
func appendValue(b []byte, value string) []byte {
	from := len(b)
	b = append(b, value...)
	for i, c := range b[from:] {
		if c == '\r' || c == '\n' || c == 0 {
			b[from+i] = ' '
		}
	}
	return append(b, "\r\n"...)
}

// AppendRefusal writes how uvicorn itself answers: a whole answer with a text, after which the connection ends.
func AppendRefusal(b []byte, status int, text string) []byte {
	b = appendStart(b, status)
	b = append(b, "content-type: text/plain; charset=utf-8\r\ncontent-length: "...)
	b = strconv.AppendInt(b, int64(len(text)), 10)
	b = append(b, "\r\nconnection: close\r\n\r\n"...)
	return append(b, text...)
}
