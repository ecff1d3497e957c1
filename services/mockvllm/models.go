package mockvllm

import (
	"net/http"
	"slices"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/lora"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// known finds the model that a request names: the name that answers bear, and the adapter if it is one. No name is the
// model itself. The error lists the names of the model alone, as vLLM's does.
func (s *Server) known(model string) (served string, adapter *lora.Adapter, err *protocol.Error) {
	if a, ok := s.adapters.Find(model); ok {
		return a.Name, new(a), nil
	}
	if model != "" && !s.cfg.Generation.AnyModel && !slices.Contains(s.cfg.ServedNames, model) {
		return "", nil, protocol.UnknownModel(model, s.cfg.ServedNames)
	}
	return s.cfg.ServedNames[0], nil, nil
}

// check is known for those who need no more than the error.
func (s *Server) check(model string) *protocol.Error {
	_, _, err := s.known(model)
	return err
}

// models lists the names of the model, then the adapters. Times and ids are new with every call.
func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	created := time.Now().Unix()
	cards := []any{}
	for _, name := range s.cfg.ServedNames {
		cards = append(cards, card(created, name, s.cfg.Model, nil, s.cfg.MaxModelLen))
	}
	for _, a := range s.adapters.List() {
		base := a.Base
		if base == "" {
			base = s.cfg.ServedNames[0]
		}
		cards = append(cards, card(created, a.Name, a.Path, base, nil))
	}
	fastapi.ReplyValue(w, http.StatusOK, "object", "list", "data", cards)
}

// card is a model of the list; parent is nil for the model itself, and maxLen for an adapter.
func card(created int64, name, root string, parent, maxLen any) *pyjson.Object {
	permission := fastapi.Object("id", "modelperm-"+protocol.NewID(), "object", "model_permission", "created", created,
		"allow_create_engine", false, "allow_sampling", true, "allow_logprobs", true, "allow_search_indices", false,
		"allow_view", true, "allow_fine_tuning", false, "organization", "*", "group", nil, "is_blocking", false)
	return fastapi.Object("id", name, "object", "model", "created", created, "owned_by", "vllm", "root", root, "parent", parent,
		"max_model_len", maxLen, "permission", []any{permission})
}
