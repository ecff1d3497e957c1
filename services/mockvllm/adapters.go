package mockvllm

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/lora"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// adapterRoutes are those of VLLM_ALLOW_RUNTIME_LORA_UPDATING.
func (s *Server) adapterRoutes() []route {
	return []route{
		on("POST", "/v1/load_lora_adapter", s.loadAdapter, plain),
		on("POST", "/v1/unload_lora_adapter", s.unloadAdapter, plain),
	}
}

// sagemakerAdapterRoutes do the same by the names of SageMaker.
func (s *Server) sagemakerAdapterRoutes() []route {
	return []route{
		on("POST", "/adapters", s.registerAdapter, plain),
		on("DELETE", "/adapters/{adapter_name}", s.unregisterAdapter, plain),
	}
}

func (s *Server) loadAdapter(w http.ResponseWriter, r *http.Request) {
	v, _, ok := fastapi.ReadRequest(w, r, "LoadLoRAAdapterRequest")
	if !ok {
		return
	}
	name, _ := v.Str("lora_name")
	path, _ := v.Str("lora_path")
	if err := s.adapters.Load(lora.Adapter{Name: name, Path: path}, v.Bool("load_inplace")); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	fastapi.Bare(w, http.StatusOK, "Success: LoRA adapter '"+name+"' added successfully.")
}

func (s *Server) unloadAdapter(w http.ResponseWriter, r *http.Request) {
	v, _, ok := fastapi.ReadRequest(w, r, "UnloadLoRAAdapterRequest")
	if !ok {
		return
	}
	name, _ := v.Str("lora_name")
	if err := s.adapters.Unload(name); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	fastapi.Bare(w, http.StatusOK, "Success: LoRA adapter '"+name+"' removed successfully.")
}

func (s *Server) registerAdapter(w http.ResponseWriter, r *http.Request) {
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
	var missing []any
	var texts [2]string
	for i, name := range []string{"name", "src"} {
		v, _ := o.Get(name)
		if texts[i], ok = v.(string); !ok {
			missing = append(missing, fastapi.Object("type", "missing", "loc", []any{name}, "msg", "Field required", "input", shown))
		}
	}
	if missing != nil {
		fastapi.Raised(w, http.StatusBadRequest, string(pyjson.AppendJSON(nil, missing, pyjson.Format{Compact: true})))
		return
	}
	if err := s.adapters.Load(lora.Adapter{Name: texts[0], Path: texts[1]}, false); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	fastapi.Bare(w, http.StatusOK, "Adapter "+texts[0]+" registered")
}

func (s *Server) unregisterAdapter(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("adapter_name")
	if err := s.adapters.Unload(name); err != nil {
		fastapi.Refuse(w, err)
		return
	}
	fastapi.Bare(w, http.StatusOK, "Adapter "+name+" unregistered")
}
