package gateway

import (
	"io"
	"math/rand/v2"
	"sync/atomic"

	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
	"github.com/fluidmcp/fluidmcp/services/gateway/body"
	"github.com/fluidmcp/fluidmcp/services/gateway/endpoint"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// query is a request that is ready to be sent.
type query struct {
	endpoint  endpoint.Endpoint
	model     *routing.Model // that was asked for
	raw       []byte         // the client's body
	doc       *body.Document // raw, when it is JSON that was read
	room      body.Document  // of doc
	form      *form          // in place of raw
	keepName  bool           // the model's server may know the name in the body, the gateway does not
	guess     bool           // as the name of an adapter; the path has told the model
	stream    bool           // the client asked for an event stream
	dropUsage bool           // usage was asked for by us, not by the client
	named     bool           // the body names the request, so an id that was made here must not
	session   string         // of the client, by the model's header for it
	except    []string       // backends that are not to be asked
	turn      admission.Ticket
}

// bodyFor is what a backend of the model gets.
func (q *query) bodyFor(m *routing.Model) []byte {
	if q.doc == nil {
		return q.raw
	}
	return q.doc.Rewrite(q.nameFor(m), q.endpoint.Chat())
}

// nameFor is what to put in place of the model's name in the body, "" to leave it.
func (q *query) nameFor(m *routing.Model) string {
	if q.keepName && m == q.model {
		return ""
	}
	return m.ServedName
}

// tokens estimates how many the request may cost; 0 for a form and for one without a body.
func (q *query) tokens() int {
	switch {
	case q.doc == nil && len(q.raw) == 0:
		return 0
	case q.doc == nil: // its server may make something of it all the same
		return admission.EstimateTokens(len(q.raw), 0, 0, 1)
	}
	media, size := q.doc.Media()
	return admission.EstimateTokens(len(q.raw)-size, media, q.doc.MaxTokens, q.doc.N)
}

// spent tells that the request cannot be sent again.
func (q *query) spent() bool { return q.form != nil && q.form.begun.Load() }

// form is an upload that passes as it comes, so it can be sent once.
type form struct {
	*body.Upload
	length int64       // as the client sends it; -1 when it did not say
	begun  atomic.Bool // something of it was sent, or is about to be
}

// upload is a form as a backend gets it.
type upload struct {
	io.Reader
	form   *form
	sent   func() // called after each piece
	length int64  // -1 for unknown
}

func (u *upload) Read(b []byte) (int, error) {
	u.form.begun.Store(true)
	n, err := u.Reader.Read(b)
	u.sent()
	return n, err
}

// uploadFor is what a backend of the model gets. It calls sent when something more of it came from the client.
func (q *query) uploadFor(m *routing.Model, sent func()) *upload {
	r, length := q.form.Reader(q.nameFor(m), q.form.length)
	return &upload{Reader: r, form: q.form, sent: sent, length: length}
}

// plan is the models that may answer. What controls a server is for that of the model which was named.
func (q *query) plan() []*routing.Model {
	if q.endpoint.Control {
		return []*routing.Model{q.model}
	}
	return q.model.Plan(q.session, rand.Uint64()) //nolint:gosec // a share of the traffic, no secret
}
