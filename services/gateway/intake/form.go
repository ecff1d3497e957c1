package intake

import (
	"io"
	"sync/atomic"

	"github.com/fluidmcp/fluidmcp/services/gateway/body"
)

// Form is an upload that passes as it comes, so it can be sent once.
type Form struct {
	Model string // as the form names it; "" when it has not yet

	upload *body.Upload
	length int64       // as the client sends it; -1 when it did not say
	begun  atomic.Bool // something of it was sent, or is about to be
}

// Begun tells whether something of the form was sent, or may have been: it cannot be sent again.
func (f *Form) Begun() bool { return f.begun.Load() }

// Begin notes that a connection was made for the form, on which it may be read from now on.
func (f *Form) Begin() { f.begun.Store(true) }

// Reader gives the form with the model named as given, or as it came for "", and its length in bytes, -1 for unknown. sent is
// called after each piece that came from the client.
func (f *Form) Reader(model string, sent func()) (io.ReadCloser, int64) {
	r, length := f.upload.Reader(model, f.length)
	return io.NopCloser(&sending{Reader: r, form: f, sent: sent}), length
}

// sending is a form as a backend gets it.
type sending struct {
	io.Reader
	form *Form
	sent func()
}

// Read implements io.Reader.
func (s *sending) Read(b []byte) (int, error) {
	s.form.Begin()
	n, err := s.Reader.Read(b)
	s.sent()
	return n, err
}
