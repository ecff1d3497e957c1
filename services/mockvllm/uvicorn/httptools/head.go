package httptools

import (
	"bytes"
	"errors"
)

// ErrInvalid is the failure of whatever httptools would refuse.
var ErrInvalid = errors.New("invalid HTTP request")

// Span is a part of the bytes that were parsed.
type Span struct{ from, to int32 }

// Of cuts the span out of the head.
func (s Span) Of(head string) string { return head[s.from:s.to] }

// Field is one header line. A value keeps the white space at its end.
type Field struct{ Name, Value Span }

// Head is what the head of a request says. It is complete once Parse has returned its length.
type Head struct {
	Method       string
	Target       Span
	Path, Query  Span // of the target, still encoded
	Major, Minor byte
	Fields       []Field
	Length       uint64 // of the body, where Chunked is false
	Chunked      bool
	Upgrade      bool // asks for another protocol, so that no body follows
	close, keep  bool // tokens of Connection
	sized, coded bool // has Content-Length, has Transfer-Encoding
	wants, named bool // Connection says upgrade, Upgrade names a protocol
}

// KeepAlive tells whether another request may follow on the connection.
func (h *Head) KeepAlive() bool {
	if h.Major == 1 && h.Minor == 1 {
		return !h.close
	}
	return h.keep && !h.close && (h.Major != 1 || h.Minor != 0) // uvicorn never keeps 1.0 alive
}

// special reads the fields that say where the request ends and what becomes of the connection.
func (h *Head) special(name, value []byte) bool {
	switch len(name) {
	case len("upgrade"):
		h.named = h.named || bytes.EqualFold(name, []byte("upgrade")) && len(value) > 0
	case len("connection"), len("proxy-connection"):
		if bytes.EqualFold(name, []byte("connection")) || bytes.EqualFold(name, []byte("proxy-connection")) {
			h.connection(value)
		}
	case len("content-length"):
		if bytes.EqualFold(name, []byte("content-length")) {
			return h.length(value)
		}
	case len("transfer-encoding"):
		if bytes.EqualFold(name, []byte("transfer-encoding")) {
			return h.coding(value)
		}
	}
	return true
}

func (h *Head) connection(value []byte) {
	for token := range bytes.SplitSeq(value, []byte(",")) {
		token = bytes.Trim(token, " \t")
		h.close = h.close || bytes.EqualFold(token, []byte("close"))
		h.keep = h.keep || bytes.EqualFold(token, []byte("keep-alive"))
		h.wants = h.wants || bytes.EqualFold(token, []byte("upgrade"))
	}
}

// length refuses whatever two readers could take for two different lengths.
func (h *Head) length(value []byte) bool {
	digits := bytes.TrimRight(value, " \t")
	if h.sized || h.coded || len(digits) == 0 {
		return false
	}
	h.sized = true
	for _, d := range digits {
		next := h.Length*10 + uint64(d-'0')
		if d < '0' || d > '9' || h.Length > (1<<64-1)/10 || next < h.Length*10 {
			return false
		}
		h.Length = next
	}
	return true
}

// coding accepts chunked as the last coding of all.
func (h *Head) coding(value []byte) bool {
	if h.sized || h.Chunked || len(value) == 0 {
		return false
	}
	h.coded = true
	for token := range bytes.SplitSeq(value, []byte(",")) {
		if h.Chunked {
			return false
		}
		h.Chunked = bytes.EqualFold(bytes.TrimRight(bytes.TrimLeft(token, " \t"), " "), []byte("chunked"))
	}
	return true
}
