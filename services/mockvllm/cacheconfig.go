package mockvllm

import (
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// cacheDefaults are the fields of vLLM's cache configuration that say nothing about this server, as the CPU build of
// vLLM 0.32 tells them: name, value.
const cacheDefaults = `_block_size_resolved True
cache_dtype auto
cache_hit_alignment_tokens None
enable_mamba_shared_prefix_checkpoint False
gpu_memory_utilization 0.92
hash_block_size None
is_attention_free False
kv_cache_dtype_skip_layers []
kv_cache_layout None
kv_cache_memory_bytes 1073741824
kv_offloading_backend native
kv_offloading_size None
kv_sharing_fast_prefill False
mamba_block_size None
mamba_cache_dtype auto
mamba_cache_mode none
mamba_page_size_padded None
mamba_ssm_cache_dtype float32
num_cpu_blocks None
num_gpu_blocks_override None
prefix_cache_retention_interval 0
prefix_caching_hash_algo sha256
prefix_match_unit None
replayssm_buffer_len 16
skip_page_size_padded None
sliding_window None
swa_bounded_replay True
use_kda_recoverssm False
use_replayssm False
user_specified_block_size False`

// cacheConfig is vllm:cache_config_info, always 1: its labels are the message. It has no model_name.
func cacheConfig(cfg Config) prometheus.Collector {
	const size = engine.BlockTokens * engine.Blocks
	caching := "False"
	if cfg.PrefixCaching {
		caching = "True"
	}
	labels := prometheus.Labels{
		"engine":                         "0",
		"block_size":                     strconv.Itoa(engine.BlockTokens),
		"effective_attention_block_size": strconv.Itoa(engine.BlockTokens),
		"enable_prefix_caching":          caching,
		"kv_cache_max_concurrency":       protocol.PythonFloat(float64(size) / float64(cfg.MaxModelLen)),
		"kv_cache_size_tokens":           strconv.Itoa(size),
		"num_gpu_blocks":                 strconv.Itoa(engine.Blocks),
	}
	for line := range strings.Lines(cacheDefaults) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		labels[name] = value
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "vllm:cache_config_info",
		Help: "Information of the LLMEngine CacheConfig", ConstLabels: labels}, func() float64 { return 1 })
}
