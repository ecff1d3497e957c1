package devmode

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// workerMethods are those of vLLM's CPUWorker that anybody may call, by the class that has them. Behind a name are its parameters
// besides self: = has a default, and so has what is behind a lone star, which is given by name alone.
var workerMethods = sync.OnceValue(func() map[string]method {
	return methodsOf(map[string]string{
		"worker_base.WorkerWrapperBase": "execute_model(scheduler_output) init_device() initialize_from_config(kv_cache_configs) reset_mm_cache() shutdown()",
		"worker_base.WorkerBase": "apply_model(fn) get_cache_block_size_bytes() get_model_inspection() get_supported_kv_cache_layouts() " +
			"release_late_interaction_query_cache(query_keys) set_kv_cache_layout(kv_cache_layout) synchronize_device()",
		"gpu_worker.Worker": "add_lora(lora_request) annotate_profile(scheduler_output) check_health() checkpoint_prepare() checkpoint_restore() " +
			"compute_weight_checksums() elastic_ep_execute(execute_method,*args,**kwargs) execute_dummy_batch() finish_weight_update() " +
			"get_compilation_match_table() get_draft_model() get_encoder_timing_stats() get_kv_cache_spec() get_kv_connector_handshake_metadata() " +
			"get_model() get_supported_tasks() handle_ft_command(ft_request) init_weight_transfer_engine(init_info) list_loras() " +
			"load_model(*,load_dummy_weights) pin_lora(lora_id) profile(is_start=,profile_prefix=,*,delay_iterations,max_iterations) " +
			"reload_weights(*args,**kwargs) remove_lora(lora_id) reset_encoder_cache() reset_weights() sample_tokens(grammar_output) " +
			"save_sharded_state(path,pattern=,max_size=) save_tensorized_model(tensorizer_config) shutdown_weight_transfer_engine() " +
			"start_draft_weight_update() start_weight_update() supports_draft_weight_updates() take_draft_token_ids() update_config(overrides) " +
			"update_max_model_len(max_model_len) update_weights(update_info)",
		"cpu_worker.CPUWorker": "compile_or_warm_up_model() determine_available_memory() discard(tags) sleep(level=) wake_up(tags=)",
	})
})

// method is how a Python function takes its arguments.
type method struct {
	module, name string
	positional   []string // self first
	defaults     int      // how many of these, at the end, need not be given
	named        []string // those that are given by name alone, and need not be
	others       bool     // it takes any further ones, by place and by name
}

func methodsOf(classes map[string]string) map[string]method {
	methods := map[string]method{}
	for class, list := range classes {
		module, class, _ := strings.Cut(class, ".")
		for one := range strings.FieldsSeq(list) {
			name, params, _ := strings.Cut(strings.TrimSuffix(one, ")"), "(")
			m := method{module: "vllm.v1.worker." + module, name: class + "." + name, positional: []string{"self"}}
			byName := false
			for param := range strings.SplitSeq(params, ",") {
				bare := strings.Trim(param, "*=")
				switch {
				case param == "*":
					byName = true
				case bare != param && param[0] == '*':
					m.others = true
				case bare == "":
				case byName:
					m.named = append(m.named, bare)
				default:
					m.positional = append(m.positional, bare)
					if bare != param {
						m.defaults++
					}
				}
			}
			methods[name] = m
		}
	}
	return methods
}

// misfit tells in Python's words why the method can't be called with these arguments, "" where it can. args are how many are given
// by place, besides self.
func (m method) misfit(args int, kwargs any) string {
	given := args + 1
	byName, ok := kwargs.(*pyjson.Object)
	if !ok {
		return m.module + "." + m.name + "() argument after ** must be a mapping, not " + pyjson.TypeName(kwargs)
	}
	got := make([]bool, len(m.positional))
	for i := range min(given, len(got)) {
		got[i] = true
	}
	alone := 0
	for name := range byName.All() {
		switch i := slices.Index(m.positional, name); {
		case i >= 0 && got[i]:
			return m.name + "() got multiple values for argument '" + name + "'"
		case i >= 0:
			got[i] = true
		case slices.Contains(m.named, name):
			alone++
		case !m.others:
			return m.name + "() got an unexpected keyword argument '" + name + "'"
		}
	}
	if given > len(m.positional) && !m.others {
		return m.tooMany(given, alone)
	}
	if i := slices.Index(got[:len(got)-m.defaults], false); i >= 0 { // no method needs two
		return m.name + "() missing 1 required positional argument: '" + m.positional[i] + "'"
	}
	return ""
}

// tooMany counts as CPython does, which tells those that are given by name where they can only be.
func (m method) tooMany(given, alone int) string {
	most := len(m.positional)
	takes := fmt.Sprintf("%d positional argument%s", most, plural(most))
	if m.defaults > 0 {
		takes = fmt.Sprintf("from %d to %d positional arguments", most-m.defaults, most)
	}
	if alone > 0 {
		return fmt.Sprintf("%s() takes %s but %d positional arguments (and %d keyword-only argument%s) were given", m.name, takes, given, alone, plural(alone))
	}
	return fmt.Sprintf("%s() takes %s but %d were given", m.name, takes, given)
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
