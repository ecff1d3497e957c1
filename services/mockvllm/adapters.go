package mockvllm

import (
	"net/http"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/lora"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// adapterRoutes are those of VLLM_ALLOW_RUNTIME_LORA_UPDATING.
func (s *Server) adapterRoutes() []route {
	return []route{
		{"POST", "/v1/load_lora_adapter", s.loadAdapter, plain},
		{"POST", "/v1/unload_lora_adapter", s.unloadAdapter, plain},
	}
}

// sagemakerAdapterRoutes do the same by the names of SageMaker.
func (s *Server) sagemakerAdapterRoutes() []route {
	return []route{
		{"POST", "/adapters", s.registerAdapter, plain},
		{"DELETE", "/adapters/{adapter_name}", s.unregisterAdapter, plain},
	}
}

func (s *Server) loadAdapter(w http.ResponseWriter, r *http.Request) {
	v, _, ok := readRequest(w, r, "LoadLoRAAdapterRequest")
	if !ok {
		return
	}
	name, _ := v.Str("lora_name")
	path, _ := v.Str("lora_path")
	if err := s.adapters.Load(lora.Adapter{Name: name, Path: path}, v.Bool("load_inplace")); err != nil {
		refuse(w, err)
		return
	}
	plainText(w, "Success: LoRA adapter '"+name+"' added successfully.")
}

func (s *Server) unloadAdapter(w http.ResponseWriter, r *http.Request) {
	v, _, ok := readRequest(w, r, "UnloadLoRAAdapterRequest")
	if !ok {
		return
	}
	name, _ := v.Str("lora_name")
	if err := s.adapters.Unload(name); err != nil {
		refuse(w, err)
		return
	}
	plainText(w, "Success: LoRA adapter '"+name+"' removed successfully.")
}

func (s *Server) registerAdapter(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
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
	var missing []any
	var texts [2]string
	for i, name := range []string{"name", "src"} {
		v, _ := o.Get(name)
		if texts[i], ok = v.(string); !ok {
			missing = append(missing, object("type", "missing", "loc", []any{name}, "msg", "Field required", "input", shown))
		}
	}
	if missing != nil {
		raised(w, http.StatusBadRequest, string(pyjson.AppendJSON(nil, missing, pyjson.Format{Compact: true})))
		return
	}
	if err := s.adapters.Load(lora.Adapter{Name: texts[0], Path: texts[1]}, false); err != nil {
		refuse(w, err)
		return
	}
	plainText(w, "Adapter "+texts[0]+" registered")
}

func (s *Server) unregisterAdapter(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("adapter_name")
	if err := s.adapters.Unload(name); err != nil {
		refuse(w, err)
		return
	}
	plainText(w, "Adapter "+name+" unregistered")
}

// plainText answers with a text and, as vLLM does, without a content type.
func plainText(w http.ResponseWriter, text string) {
	w.Header()["Content-Type"] = nil
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(text)) // the client may have left
}
