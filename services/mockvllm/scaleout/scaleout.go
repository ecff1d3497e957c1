package scaleout

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/answers"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/models"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/render"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// ScaleOut serves one model.
type ScaleOut struct {
	answers *answers.Answers
	model   *request.Model
	models  *models.Models
}

// New makes the handlers for a model.
func New(a *answers.Answers, model *request.Model, names *models.Models) *ScaleOut {
	return &ScaleOut{a, model, names}
}

// Off is what the routes of --enable-scale-out say without it.
func Off(w http.ResponseWriter, _ *http.Request) {
	fastapi.Refuse(w, &protocol.Error{Status: http.StatusForbidden, Type: "PermissionDeniedError",
		Message: "Scale-out endpoints are disabled. Restart vllm serve with --enable-scale-out to enable them."})
}

// Abort ends running requests with what they have. Ids that nobody has are ignored.
func (s *ScaleOut) Abort(w http.ResponseWriter, r *http.Request) {
	body, ok := fastapi.ReadRaw(w, r)
	if !ok {
		return
	}
	doc, failed := pyjson.Decode(body)
	if failed != nil {
		fastapi.Refuse(w, fastapi.NotJSON(failed, fastapi.SyntaxFault))
		return
	}
	o, ok := doc.(*pyjson.Object)
	if !ok {
		fastapi.Refuse(w, &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal,
			Message: "'" + pyjson.TypeName(doc) + "' object has no attribute 'get'"})
		return
	}
	ids := o.Value("request_ids")
	if ids == nil {
		fastapi.Refuse(w, fastapi.HTTPException("Missing 'request_ids' in request body"))
		return
	}
	list, many := ids.([]any)
	if !many {
		list = []any{ids}
	}
	for _, id := range list {
		if id, ok := id.(string); ok {
			s.answers.Abort(id)
		}
	}
	fastapi.Empty(w, r)
}

// Render makes the handler that answers with the request for tokens which a request of an interface becomes.
func (s *ScaleOut) Render(a *answers.API) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := fastapi.ReadBody(w, r)
		if !ok {
			return
		}
		rendered, err := s.rendered(a, r, body)
		if err != nil {
			fastapi.Refuse(w, err)
			return
		}
		fastapi.Reply(w, http.StatusOK, rendered)
	}
}

func (s *ScaleOut) rendered(a *answers.API, r *http.Request, body []byte) ([]byte, *protocol.Error) {
	v, _, err := protocol.Decode(a.Schema, r.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, err
	}
	served, _, err := s.models.Find(request.Str(v, "model"))
	if err != nil {
		s.answers.LogUnknown("serving.py:91", err)
		return nil, err
	}
	if err := render.Check(v); err != nil {
		return nil, err
	}
	asked, err := a.Read(v, s.model)
	if err != nil {
		return nil, err
	}
	works, err := asked.Works()
	switch {
	case err != nil && err.Message == protocol.EmptyPrompt:
		return nil, protocol.BadRequest("No token_ids rendered")
	case err != nil:
		return nil, err
	}
	head, _ := s.answers.Head(r, a.ID, served, asked.Shared().RequestID)
	return render.Requests(v, works, asked.Shared(), head.ID, s.model), nil
}

// Derender makes the handler that turns tokens into an answer of an interface.
func (s *ScaleOut) Derender(name string, answer func(*schema.Values, protocol.Head, *request.Model) ([]byte, *protocol.Error)) http.HandlerFunc {
	return s.models.Decoded(name, func(v *schema.Values, served string) ([]byte, *protocol.Error) {
		return answer(v, answers.NewHead(served), s.model)
	}, fastapi.Refuse)
}
