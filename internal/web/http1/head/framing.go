package head

import (
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Framing is how the body of a request ends.
type Framing struct {
	Length  int64 // in bytes; -1 for chunks
	Close   bool  // no further request follows on the connection
	Expects bool  // the client waits for 100 Continue
}

// parseFraming decides where the body ends (RFC 9112, section 6). Whatever leaves a doubt is refused.
func (r *Head) parseFraming(s special) (Framing, error) {
	var f Framing
	f.Close = httpguts.HeaderValuesContainsToken(s.Connection, "close") ||
		r.ProtoMinor == 0 && !httpguts.HeaderValuesContainsToken(s.Connection, "keep-alive")
	codings, lengths := s.Codings, s.Lengths
	switch {
	case len(codings) > 0 && (len(lengths) > 0 || r.ProtoMinor == 0):
		return f, Malformed("The request has both a length and chunks, or chunks in HTTP/1.0.")
	case len(codings) > 1 || len(codings) == 1 && !strings.EqualFold(codings[0], "chunked"):
		return f, Refuse(http.StatusNotImplemented, "The only transfer coding is chunked.")
	case len(codings) == 1:
		f.Length = -1
		delete(r.Header, "Transfer-Encoding")
		r.TransferEncoding = []string{"chunked"}
	case len(lengths) > 1:
		return f, Malformed("The request has two lengths.")
	case len(lengths) == 1:
		n, err := strconv.ParseUint(lengths[0], 10, 63)
		if err != nil || lengths[0][0] == '+' {
			return f, Malformed("The request's length is malformed.")
		}
		f.Length = int64(n)
	}
	if expect := s.expect; len(expect) > 0 {
		if len(expect) > 1 || !strings.EqualFold(expect[0], "100-continue") {
			return f, Refuse(http.StatusExpectationFailed, "The only expectation is 100-continue.")
		}
		f.Expects = r.ProtoMinor > 0 && f.Length != 0
	}
	return f, nil
}
