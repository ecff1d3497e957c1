package body

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
)

var (
	// ErrForm tells a multipart body that is not framed as RFC 2046, section 5.1 says, names no boundary, or could be read in two ways.
	ErrForm = errors.New("not a multipart form")
	// ErrTwoModels tells a form with two fields that name a model. vLLM takes the last one, which may come after all else.
	ErrTwoModels = errors.New("the form has the field model twice")
)

// piece is how much of a form is read at once.
const piece = 32 << 10

// Upload is a form with files (multipart/form-data, RFC 7578), of which only the beginning was read: up to the field that
// names the model. The rest passes as it comes, so that a long recording is never in memory as a whole.
type Upload struct {
	Model string // name as sent; "" when the field was not found in what was read

	boundary string
	head     []byte // read and not passed on yet
	whole    bool   // head is all
	found    bool   // the field model is in head
	rest     io.Reader
}

// ReadUpload reads a form until it has found the field "model", but at most limit bytes of it. contentType is the header
// with the boundary.
func ReadUpload(contentType string, r io.Reader, limit int) (*Upload, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, fmt.Errorf("%w: Content-Type %q has no boundary", ErrForm, contentType)
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") { // names of fields are read in it
		return nil, fmt.Errorf("%w: its charset %.40q is not UTF-8", ErrForm, charset)
	}
	u := &Upload{rest: r, boundary: params["boundary"]}
	fields := u.parts()
	for len(u.head) < limit && !u.found && !u.whole {
		n := len(u.head)
		u.head = slices.Grow(u.head, min(piece, limit-n))
		read, err := r.Read(u.head[n:min(n+piece, limit)])
		u.head = u.head[:n+read]
		if fault := u.look(&fields); fault != nil {
			return nil, fault
		}
		if u.whole = err == io.EOF; err != nil && !u.whole {
			return nil, fmt.Errorf("read form: %w", err)
		}
	}
	return u, nil
}

func (u *Upload) parts() parts { return parts{delimiter: []byte("\r\n--" + u.boundary)} }

// look goes through all that was read.
func (u *Upload) look(fields *parts) error {
	for {
		value, found, err := fields.next(u.head)
		switch {
		case err != nil:
			return err
		case !found:
			return nil
		case u.found:
			return ErrTwoModels
		}
		u.found, u.Model = true, string(u.head[value.start:value.end])
	}
}

// Reader gives the form, with the model named as given unless that is "" or the field is empty or missing. Of the client's length, -1
// for unknown, it makes its own. Reading fails with ErrTwoModels and ErrForm for what comes late in the form.
func (u *Upload) Reader(model string, length int64) (io.Reader, int64) {
	switch {
	case length < 0 || model == "":
	case u.found && u.Model != "":
		length += int64(len(model) - len(u.Model))
	case !u.found && !u.whole:
		length = -1 // the name may still come
	}
	return &renaming{src: io.MultiReader(bytes.NewReader(u.head), u.rest), fields: u.parts(), model: model}, length
}

// renaming is a form whose model gets another name on its way.
type renaming struct {
	src    io.Reader
	fields parts
	model  string // "" leaves the name
	named  bool   // the field was there
	buffer []byte // mostly below window
	window []byte // read and not passed on
	ready  int    // how much of it can be
	err    error  // what comes after that
}

func (r *renaming) Read(p []byte) (int, error) {
	for r.ready == 0 && r.err == nil {
		r.fill()
	}
	if r.ready == 0 {
		return 0, r.err
	}
	n := copy(p, r.window[:r.ready])
	r.ready -= n
	r.fields.move(n)
	if r.window = r.window[n:]; r.ready == 0 && r.err != nil {
		return n, r.err
	}
	return n, nil
}

// fill reads a piece.
func (r *renaming) fill() {
	n := len(r.window)
	r.buffer = slices.Grow(append(r.buffer[:0], r.window...), piece)
	read, err := r.src.Read(r.buffer[n : n+piece])
	r.window, r.err = r.buffer[:n+read], err
	if fault := r.rename(); fault != nil {
		r.window, r.err = nil, fault
		return
	}
	if r.ready = r.fields.passed(); r.err != nil {
		r.ready = len(r.window)
	}
}

// rename replaces the name in the window, when it is there.
func (r *renaming) rename() error {
	for {
		value, found, err := r.fields.next(r.window)
		switch {
		case err != nil:
			return err
		case !found:
			return nil
		case r.named:
			return ErrTwoModels
		}
		r.named = true
		if old := value.end - value.start; r.model != "" && old > 0 {
			r.window = slices.Replace(r.window, value.start, value.end, []byte(r.model)...)
			r.fields.move(old - len(r.model))
		}
	}
}
