package body

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/textproto"
	"strings"
)

// ErrBoundary tells a multipart body that is not framed as RFC 2046, section 5.1 says, or names no boundary.
var ErrBoundary = errors.New("not a multipart body")

// Upload is a form with files (multipart/form-data, RFC 7578), of which only the beginning was read: up to the field that
// names the model. The rest passes as it comes, so that a long recording is never in memory as a whole.
type Upload struct {
	Model string // name as sent; "" when the field was not found in what was read

	head  []byte // read and not passed on yet
	model span   // of the name in head
	rest  io.Reader
}

// ReadUpload reads a form until it has found the field "model", but at most limit bytes of it. contentType is the header
// with the boundary.
func ReadUpload(contentType string, r io.Reader, limit int) (*Upload, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, fmt.Errorf("%w: Content-Type %q has no boundary", ErrBoundary, contentType)
	}
	u := &Upload{rest: r}
	parts := form{delimiter: []byte("\r\n--" + params["boundary"])}
	chunk := make([]byte, 32<<10)
	for len(u.head) < limit {
		n, err := r.Read(chunk[:min(len(chunk), limit-len(u.head))])
		u.head = append(u.head, chunk[:n]...)
		found, fault := parts.search(u.head)
		switch {
		case fault != nil:
			return nil, fault
		case found:
			u.model = parts.value
			u.Model = string(u.head[u.model.start:u.model.end])
			return u, nil
		case err == io.EOF:
			return u, nil
		case err != nil:
			return nil, fmt.Errorf("read form: %w", err)
		}
	}
	return u, nil
}

// Reader gives the form, with the model named as given unless that is "" or the field was not found. grown is how many
// bytes it is longer than the client's.
func (u *Upload) Reader(model string) (r io.Reader, grown int) {
	if u.Model == "" || model == "" {
		return io.MultiReader(bytes.NewReader(u.head), u.rest), 0
	}
	head := splice(u.head, []edit{{u.model, model}})
	return io.MultiReader(bytes.NewReader(head), u.rest), len(head) - len(u.head)
}

// form is the search for the field "model" in a body that grows.
type form struct {
	delimiter []byte
	at        int  // what stands before was searched
	value     span // of the field
}

// search goes on in b, of which the bytes before were given before too.
func (f *form) search(b []byte) (found bool, err error) {
	if f.at == 0 { // the first delimiter needs no line before it
		first := f.delimiter[2:]
		if len(b) < len(first) {
			return false, nil
		}
		if bytes.HasPrefix(b, first) {
			f.at = len(first)
		} else if f.at = f.next(b, 0); f.at < 0 {
			f.at = 0
			return false, nil
		}
	}
	for {
		rest := b[f.at:]
		if bytes.HasPrefix(rest, []byte("--")) { // the closing delimiter
			return false, nil
		}
		end := bytes.Index(rest, []byte("\r\n\r\n"))
		if end < 0 {
			return false, nil
		}
		start := f.at + end + len("\r\n\r\n")
		next := f.next(b, start-2) // an empty part ends with the line that ends its head
		if next < 0 {
			return false, nil
		}
		if fieldName(rest[:end]) == "model" {
			f.value = span{start, max(start, next-len(f.delimiter))}
			if strings.ContainsAny(string(b[f.value.start:f.value.end]), "\r\n") {
				return false, fmt.Errorf("%w: the field model has several lines", ErrBoundary)
			}
			return true, nil
		}
		f.at = next
	}
}

// next is where the next delimiter at or after from ends, or -1.
func (f *form) next(b []byte, from int) int {
	i := bytes.Index(b[from:], f.delimiter)
	if i < 0 {
		return -1
	}
	return from + i + len(f.delimiter)
}

// fieldName reads the name of a part from its head.
func fieldName(head []byte) string {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !strings.EqualFold(textproto.TrimString(string(name)), "Content-Disposition") {
			continue
		}
		_, params, err := mime.ParseMediaType(textproto.TrimString(string(value)))
		if err == nil {
			return params["name"]
		}
	}
	return ""
}
