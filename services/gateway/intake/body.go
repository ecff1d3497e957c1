package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/body"
	"github.com/fluidmcp/fluidmcp/services/gateway/refusal"
)

// maxFormHead is how much of a form is read to find the model's name in it, 1 MiB, where something else names the model.
const maxFormHead = 1 << 20

// Body is what a client sends, as far as it was read. Once read it may be looked at by several goroutines; only its form changes then.
type Body struct {
	Raw  []byte         // all of it, once it was read whole
	JSON *body.Document // Raw, once it was found to be a JSON object
	Form *Form          // an upload, in place of Raw

	request *http.Request
	in      io.Reader
	intake  *Intake
	share   share         // of a large one
	room    body.Document // of JSON
}

// Large tells whether memory beyond what every request may have can be needed: the body has more than 64 KiB, or does not say.
func (b *Body) Large() bool {
	return b.request.ContentLength < 0 || b.request.ContentLength > maxTrusted
}

// Release gives back the memory that counts. The body is not to be used any more; one that was never opened may be released.
func (b *Body) Release() {
	if b.share.took > 0 {
		b.share.of.buffered.Add(-b.share.took)
		b.share.took = 0
	}
}

// Read reads all of it. The error is for the client.
func (b *Body) Read() error {
	if b.request.ContentLength < 0 {
		var raw bytes.Buffer
		if _, err := raw.ReadFrom(b.in); err != nil {
			return b.Refuse(err)
		}
		b.Raw = raw.Bytes()
		return nil
	}
	for n := int(b.request.ContentLength); len(b.Raw) < n; {
		before := len(b.Raw)
		grown := make([]byte, min(n, max(2*before, maxTrusted)))
		copy(grown, b.Raw)
		if _, err := io.ReadFull(b.in, grown[before:]); err != nil {
			return b.Refuse(err)
		}
		b.Raw = grown
	}
	return nil
}

// Parse takes what was read for a JSON object. It returns a *scan.SyntaxError for anything else.
func (b *Body) Parse() error {
	if err := b.room.Parse(b.Raw); err != nil {
		return err
	}
	b.JSON = &b.room
	return nil
}

// ReadForm reads a form until it has named the model. Where something else names it, which named tells, it looks through the first
// 1 MiB, and else through all. The error is for the client.
func (b *Body) ReadForm(named bool) error {
	limit := b.intake.limits.Body
	if named {
		limit = maxFormHead
	}
	found, err := body.ReadUpload(b.request.Header.Get("Content-Type"), b.in, int(limit))
	if err != nil {
		return b.Refuse(err)
	}
	b.share.free = true // the rest passes
	b.Form = &Form{upload: found, Model: found.Model, length: b.request.ContentLength}
	return nil
}

// Refuse words for the client why its body could not be read. One that is gone gets web.ErrClientLeft.
func (b *Body) Refuse(err error) error {
	if told, ok := errors.AsType[*openai.Error](err); ok {
		return told
	}
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case errors.Is(err, body.ErrTwoModels):
		return refusal.BadRequest("duplicate_model", "model", "The form has the field model twice. Name one model.")
	case errors.Is(err, body.ErrForm):
		return refusal.BadRequest("invalid_form", "", fmt.Sprintf("The form cannot be read: %v.", err))
	case tooLarge:
		return refusal.TooLarge(b.intake.limits.Body)
	case errors.Is(err, web.ErrStalled):
		return &openai.Error{Status: http.StatusRequestTimeout, Type: openai.TypeTimeout, Code: "body_timeout",
			Message: "The body did not come in time. Send the request again.", Cause: err}
	case b.request.Context().Err() != nil, errors.Is(err, io.ErrUnexpectedEOF): // who closes the connection is gone
		return fmt.Errorf("%w: read body: %w", web.ErrClientLeft, err)
	}
	e := refusal.BadRequest("incomplete_body", "", "The body ended before its announced end or is wrongly framed.")
	e.Cause = err
	return e
}
