package devmode

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// workerMethods are those of vLLM's CPUWorker that anybody may call.
var workerMethods = strings.Fields("add_lora annotate_profile apply_model check_health checkpoint_prepare checkpoint_restore compile_or_warm_up_model " +
	"compute_weight_checksums determine_available_memory discard elastic_ep_execute execute_dummy_batch execute_model " +
	"finish_weight_update get_cache_block_size_bytes get_compilation_match_table get_draft_model get_encoder_timing_stats " +
	"get_kv_cache_spec get_kv_connector_handshake_metadata get_model get_model_inspection get_supported_kv_cache_layouts " +
	"get_supported_tasks handle_ft_command init_device init_weight_transfer_engine initialize_from_config list_loras " +
	"load_model pin_lora profile release_late_interaction_query_cache reload_weights remove_lora reset_encoder_cache " +
	"reset_mm_cache reset_weights sample_tokens save_sharded_state save_tensorized_model set_kv_cache_layout shutdown " +
	"shutdown_weight_transfer_engine sleep start_draft_weight_update start_weight_update supports_draft_weight_updates " +
	"synchronize_device take_draft_token_ids update_config update_max_model_len update_weights wake_up ")

// CollectiveRPC answers for the one worker that there is, which finds nothing to say.
func (d *Dev) CollectiveRPC(w http.ResponseWriter, r *http.Request) {
	o, ok := fastapi.ReadObject(w, r, func(err error) string { return "JSON decode error: " + err.Error() })
	if !ok {
		return
	}
	method, _ := o.Get("method")
	if method == nil {
		fastapi.Raised(w, http.StatusBadRequest, "Missing 'method' in request body")
		return
	}
	switch args, given := o.Get("args"); args.(type) {
	case string, []any, *pyjson.Object:
	default:
		if given { // vLLM makes a tuple of it
			fastapi.Refuse(w, protocol.BadRequest("'%s' object is not iterable", pyjson.TypeName(args)))
			return
		}
	}
	switch timeout, _ := o.Get("timeout"); timeout.(type) {
	case string, []any, *pyjson.Object:
		crashed(w, "unsupported operand type(s) for +: 'float' and '"+pyjson.TypeName(timeout)+"'")
		return
	}
	switch name, isText := method.(string); {
	case !isText:
		failed(w, "the first argument must be callable")
	case !slices.Contains(workerMethods, name):
		failed(w, "'CPUWorker' object has no attribute '"+name+"'")
	default:
		fastapi.ReplyValue(w, http.StatusOK, "results", []any{nil})
	}
}

// failed is what the API server makes of a worker's error.
func failed(w http.ResponseWriter, why string) {
	crashed(w, "Worker failed with error '"+why+"', please check the stack trace above for the root cause")
}

func crashed(w http.ResponseWriter, why string) {
	fastapi.Crashed(w, "Call to collective_rpc method failed: "+why)
}
