package metrics

import (
	"maps"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics/promclient"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// CacheConfig is what vllm:cache_config_info tells of the KV cache.
type CacheConfig struct {
	BlockSize     int // tokens
	Blocks        int
	PrefixCaching bool
	Other         map[string]string // further fields that differ from the CPU build's, as Python writes them
}

// cacheDefaults are the fields that say nothing about this server, as the CPU build of vLLM 0.32 tells them: name, value.
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

// labels are those of one rank. The capacity is in whole blocks for each request of the context's length
// (get_kv_cache_capacity in vllm/v1/core/kv_cache_utils.py).
func (c CacheConfig) labels(maxModelLen, rank int) promclient.Labels {
	fields := promclient.Labels{}
	for line := range strings.Lines(cacheDefaults) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		fields[name] = value
	}
	perRequest := max(1, (maxModelLen+c.BlockSize-1)/max(1, c.BlockSize))
	concurrency := float64(c.Blocks) / float64(perRequest)
	fields["block_size"] = strconv.Itoa(c.BlockSize)
	fields["effective_attention_block_size"] = strconv.Itoa(c.BlockSize)
	fields["num_gpu_blocks"] = strconv.Itoa(c.Blocks)
	fields["kv_cache_max_concurrency"] = pyjson.Float(concurrency)
	fields["kv_cache_size_tokens"] = strconv.Itoa(int(concurrency * float64(maxModelLen)))
	fields["enable_prefix_caching"] = "False"
	if c.PrefixCaching {
		fields["enable_prefix_caching"] = "True"
	}
	maps.Copy(fields, c.Other)
	fields["engine"] = strconv.Itoa(rank)
	return fields
}
