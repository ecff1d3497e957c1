package gateway

import (
	"math/rand/v2"

	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
	"github.com/fluidmcp/fluidmcp/services/gateway/endpoint"
	"github.com/fluidmcp/fluidmcp/services/gateway/intake"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// query is a request on its way to be sent. Two goroutines may read it, where a second backend is asked beside the first.
type query struct {
	endpoint  endpoint.Endpoint
	model     *routing.Model // that was asked for
	body      intake.Body
	keepName  bool     // the model's server may know the name in the body, the gateway does not
	guess     bool     // as the name of an adapter; the path has told the model
	stream    bool     // the client asked for an event stream
	dropUsage bool     // usage was asked for by us, not by the client
	named     bool     // the body names the request, so an id that was made here must not
	session   string   // of the client, by the model's header for it
	except    []string // backends that are not to be asked
	turn      admission.Ticket
}

// bodyFor is what a backend of the model gets.
func (q *query) bodyFor(m *routing.Model) []byte {
	if q.body.JSON == nil {
		return q.body.Raw
	}
	return q.body.JSON.Rewrite(q.nameFor(m), q.endpoint.Chat())
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
	doc, size := q.body.JSON, len(q.body.Raw)
	switch {
	case doc == nil && size == 0:
		return 0
	case doc == nil: // its server may make something of it all the same
		return admission.EstimateTokens(size, 0, 0, 1)
	}
	media, bytes := doc.Media()
	return admission.EstimateTokens(size-bytes, media, doc.MaxTokens, doc.N)
}

// spent tells that the request cannot be sent again.
func (q *query) spent() bool { return q.body.Form != nil && q.body.Form.Begun() }

// plan is the models that may answer. What controls a server is for that of the model which was named.
func (q *query) plan() []*routing.Model {
	if q.endpoint.Control {
		return []*routing.Model{q.model}
	}
	return q.model.Plan(q.session, rand.Uint64())
}
