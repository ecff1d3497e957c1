package models

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/lora"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// LoadAdapter loads an adapter: a route of VLLM_ALLOW_RUNTIME_LORA_UPDATING.
func (m *Models) LoadAdapter(w http.ResponseWriter, r *http.Request) {
	v, _, ok := fastapi.ReadRequest(w, r, "LoadLoRAAdapterRequest")
	if !ok {
		return
	}
	name, _ := v.Str("lora_name")
	path, _ := v.Str("lora_path")
	if err := m.load(lora.Adapter{Name: name, Path: path}, v.Bool("load_inplace")); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	fastapi.Bare(w, http.StatusOK, "Success: LoRA adapter '"+name+"' added successfully.")
}

// UnloadAdapter is the opposite of LoadAdapter.
func (m *Models) UnloadAdapter(w http.ResponseWriter, r *http.Request) {
	v, _, ok := fastapi.ReadRequest(w, r, "UnloadLoRAAdapterRequest")
	if !ok {
		return
	}
	name, _ := v.Str("lora_name")
	if err := m.unload(name); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	fastapi.Bare(w, http.StatusOK, "Success: LoRA adapter '"+name+"' removed successfully.")
}

// RegisterAdapter is LoadAdapter as SageMaker asks for it.
func (m *Models) RegisterAdapter(w http.ResponseWriter, r *http.Request) {
	body, ok := fastapi.ReadBody(w, r)
	if !ok {
		return
	}
	shown := any("") // what SageMaker's toolkit makes of a body that it cannot read
	o := &pyjson.Object{}
	if v, err := pyjson.Decode(body); err == nil {
		if given, ok := v.(*pyjson.Object); ok {
			o, shown = given, given
		}
	}
	var faults []any
	var texts [2]string
	for i, name := range []string{"name", "src"} {
		v, given := o.Get(name)
		text, isText := v.(string)
		fault := func(kind, msg string, input any, more ...pyjson.Member) {
			faults = append(faults, pyjson.NewObject(append([]pyjson.Member{{Key: "type", Value: kind}, {Key: "loc", Value: []any{name}},
				{Key: "msg", Value: msg}, {Key: "input", Value: input}}, more...)...))
		}
		switch {
		case !given:
			fault("missing", "Field required", shown)
		case !isText:
			fault("string_type", "Input should be a valid string", v)
		case text == "":
			empty := "The parameter " + name + " cannot be an empty string"
			fault("value_error", "Value error, "+empty, "", pyjson.Member{Key: "ctx", Value: pyjson.ObjectOf("error", empty)})
		}
		texts[i] = text
	}
	if faults != nil {
		fastapi.Raised(w, http.StatusBadRequest, string(pyjson.AppendJSON(nil, faults, pyjson.Format{Compact: true})))
		return
	}
	if err := m.load(lora.Adapter{Name: texts[0], Path: texts[1]}, false); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	fastapi.Bare(w, http.StatusOK, "Adapter "+texts[0]+" registered")
}

// UnregisterAdapter is the opposite of RegisterAdapter.
func (m *Models) UnregisterAdapter(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("adapter_name")
	if err := m.unload(name); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	fastapi.Bare(w, http.StatusOK, "Adapter "+name+" unregistered")
}

func (m *Models) load(a lora.Adapter, inPlace bool) *protocol.Error {
	before, known := m.adapters.Find(a.Name)
	if err := m.adapters.Load(a, inPlace); err != nil {
		return err
	}
	if known && before.Path == a.Path {
		m.console.Warn("serving.py:217", "Reloaded LoRA adapter '%s' in place from the same path '%s'. Prefix-cache blocks computed with its "+
			"previous weights are not invalidated; load changed weights from a new path to avoid reusing them.", a.Name, a.Path)
	}
	m.console.Info("serving.py:226", "Loaded new LoRA adapter: name '%s', path '%s'", a.Name, a.Path)
	return nil
}

func (m *Models) unload(name string) *protocol.Error {
	err := m.adapters.Unload(name)
	if err == nil {
		m.console.Info("serving.py:244", "Removed LoRA adapter: name '%s'", name)
	}
	return err
}
