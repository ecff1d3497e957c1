package models

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/console"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/lora"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Models are the names by which a server's model is known, and its adapters.
type Models struct {
	cfg      config.Config
	adapters *lora.Registry
	console  *console.Console
}

// New loads the adapters that the configuration names. What is loaded later is told to the console.
func New(cfg config.Config, c *console.Console) (*Models, error) {
	adapters, refused := lora.New(cfg.LoRA.Enabled, cfg.LoRA.Offline, cfg.ServedNames, cfg.LoRA.Modules)
	if refused != nil {
		return nil, fmt.Errorf("load adapters: %w", refused)
	}
	return &Models{cfg, adapters, c}, nil
}

// Find finds the model that a request names: the name that answers bear, and the adapter if it is one. No name is the
// model itself. The error lists the names of the model alone, as vLLM's does.
func (m *Models) Find(model string) (served string, adapter *lora.Adapter, err *protocol.Error) {
	if a, ok := m.adapters.Find(model); ok {
		return a.Name, new(a), nil
	}
	if model != "" && !m.cfg.Generation.AnyModel && !slices.Contains(m.cfg.ServedNames, model) {
		return "", nil, protocol.UnknownModel(model, m.cfg.ServedNames)
	}
	return m.cfg.ServedNames[0], nil, nil
}

// Check is Find for those who need no more than the error.
func (m *Models) Check(model string) *protocol.Error {
	_, _, err := m.Find(model)
	return err
}

// List is the handler of /v1/models. It lists the names of the model, then the adapters. Times and ids are new with every call.
func (m *Models) List(w http.ResponseWriter, _ *http.Request) {
	created := time.Now().Unix()
	cards := []any{}
	for _, name := range m.cfg.ServedNames {
		cards = append(cards, card(created, name, m.cfg.Model, nil, m.cfg.MaxModelLen))
	}
	for _, a := range m.adapters.List() {
		base := a.Base
		if base == "" {
			base = m.cfg.ServedNames[0]
		}
		cards = append(cards, card(created, a.Name, a.Path, base, nil))
	}
	fastapi.ReplyValue(w, http.StatusOK, "object", "list", "data", cards)
}

// card is a model of the list; parent is nil for the model itself, and maxLen for an adapter.
func card(created int64, name, root string, parent, maxLen any) *pyjson.Object {
	permission := pyjson.ObjectOf("id", "modelperm-"+protocol.NewID(), "object", "model_permission", "created", created,
		"allow_create_engine", false, "allow_sampling", true, "allow_logprobs", true, "allow_search_indices", false,
		"allow_view", true, "allow_fine_tuning", false, "organization", "*", "group", nil, "is_blocking", false)
	return pyjson.ObjectOf("id", name, "object", "model", "created", created, "owned_by", "vllm", "root", root, "parent", parent,
		"max_model_len", maxLen, "permission", []any{permission})
}
