package mockvllm

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// flags are the options by name.
func flags() map[string]flag {
	table := map[string]flag{
		"--model":             {one, word(func(c *Config) *string { return &c.Model })},
		"--served-model-name": {many, func(c *Config, v []string) error { c.ServedNames = v; return nil }},
		"--host":              {one, word(func(c *Config) *string { return &c.Host })},
		"--port":              {one, integer(func(c *Config) *int { return &c.Port })},
		"--api-key": {many, func(c *Config, v []string) error {
			c.APIKeys = slices.DeleteFunc(slices.Clone(v), func(k string) bool { return k == "" })
			return nil
		}},
		"--max-model-len":              {one, setMaxModelLen},
		"--max-num-seqs":               {one, integer(func(c *Config) *int { return &c.MaxNumSeqs })},
		"--enable-prefix-caching":      {none, func(c *Config, v []string) error { c.PrefixCaching = v[0] == "true"; return nil }},
		"--shutdown-timeout":           {one, seconds},
		"--tool-call-parser":           {one, word(func(c *Config) *string { return &c.ToolParser })},
		"--enable-auto-tool-choice":    {none, func(c *Config, v []string) error { c.AutoTools = v[0] == "true"; return nil }},
		"--disable-uvicorn-access-log": {none, func(c *Config, v []string) error { c.AccessLog = v[0] != "true"; return nil }},

		"--mock-ttft":       {one, duration(func(c *Config) *time.Duration { return &c.Mock.TTFT })},
		"--mock-itl":        {one, duration(func(c *Config) *time.Duration { return &c.Mock.ITL })},
		"--mock-delay":      {one, duration(func(c *Config) *time.Duration { return &c.Mock.Delay })},
		"--mock-load-time":  {one, duration(func(c *Config) *time.Duration { return &c.Mock.LoadTime })},
		"--mock-answer":     {one, word(func(c *Config) *string { return &c.Mock.Answer })},
		"--mock-error-rate": {one, setErrorRate},
		"--mock-rate-limit": {one, func(c *Config, v []string) error {
			return c.Mock.RateLimit.UnmarshalText([]byte(v[0]))
		}},
		"--mock-seed": {one, func(c *Config, v []string) (err error) {
			if c.Mock.Seed, err = strconv.ParseInt(v[0], 10, 64); err != nil {
				return badValue{"int", v[0]}
			}
			return nil
		}},
	}
	for arity, names := range idleFlags {
		for name := range strings.FieldsSeq(names) {
			table[name] = flag{arity: arity}
		}
	}
	return table
}

// idleFlags are options of vLLM 0.32 that a server without a model accepts and that change nothing here.
var idleFlags = map[arity]string{
	one: `--dtype -q --quantization --kv-cache-dtype --download-dir --load-format --revision --tokenizer --tokenizer-mode
		--hf-token --hf-overrides --seed --cpu-offload-gb --limit-mm-per-prompt --speculative-config -sc
		--compilation-config -cc --attention-backend --kv-transfer-config --distributed-executor-backend --runner --convert
		--middleware --tool-parser-plugin --tool-server --max-num-batched-tokens --gpu-memory-utilization --block-size
		--num-gpu-blocks-override --max-loras --max-lora-rank --max-cpu-loras --reasoning-parser
		--chat-template --chat-template-content-format --default-chat-template-kwargs --response-role --max-logprobs
		--generation-config --override-generation-config --fingerprint-mode --fingerprint-value --max-log-len
		--max-num-queued-reqs --max-num-queued-tokens --sse-keep-alive-interval --show-hidden-metrics-for-version
		--uvicorn-log-level --disable-access-log-for-endpoints --ssl-keyfile --ssl-certfile --ssl-ca-certs --ssl-cert-reqs
		--ssl-ciphers --allowed-origins --allowed-methods --allowed-headers --scheduling-policy --stream-interval
		--api-server-count -asc --data-parallel-size -dp --tensor-parallel-size -tp --pipeline-parallel-size -pp`,
	many: `--lora-modules`,
	none: `--trust-remote-code --enforce-eager --enable-chunked-prefill --async-scheduling
		--enable-lora --trust-request-chat-template --enable-prompt-tokens-details
		--enable-per-request-metrics --enable-server-load-tracking --enable-tokenizer-info-endpoint
		--enable-request-id-headers --enable-force-include-usage --enable-log-requests --enable-log-outputs
		--enable-scale-out --disable-log-stats --enable-ssl-refresh --allow-credentials --enable-sleep-mode
		--enable-expert-parallel -ep --disable-fastapi-docs`,
}

func word(at func(*Config) *string) func(*Config, []string) error {
	return func(c *Config, v []string) error { *at(c) = v[0]; return nil }
}

func integer(at func(*Config) *int) func(*Config, []string) error {
	return func(c *Config, v []string) error {
		n, err := strconv.Atoi(v[0])
		if err != nil {
			return badValue{"int", v[0]}
		}
		*at(c) = n
		return nil
	}
}

// duration reads Go's form, for the mock's own flags.
func duration(at func(*Config) *time.Duration) func(*Config, []string) error {
	return func(c *Config, v []string) error {
		d, err := time.ParseDuration(v[0])
		if err != nil {
			return badValue{"duration", v[0]}
		}
		*at(c) = d
		return nil
	}
}

func seconds(c *Config, v []string) error {
	n, err := strconv.Atoi(v[0])
	if err != nil {
		return badValue{"int", v[0]}
	}
	c.ShutdownTimeout = time.Duration(n) * time.Second
	return nil
}

func setErrorRate(c *Config, v []string) error {
	rate, err := strconv.ParseFloat(v[0], 64)
	if err != nil {
		return badValue{"float", v[0]}
	}
	c.Mock.ErrorRate = rate
	return nil
}

// setMaxModelLen reads 8192, 8k (8000), 8K (8192), 25.6k; -1 and auto leave the model's own.
func setMaxModelLen(c *Config, v []string) error {
	text := v[0]
	if text == "-1" || text == "auto" {
		return nil
	}
	unit := 1.0
	for suffix, factor := range map[string]float64{"k": 1e3, "m": 1e6, "g": 1e9, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = number, factor
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || unit == 1 && strings.Contains(text, ".") {
		return badValue{"human_readable_int_or_auto", v[0]}
	}
	c.MaxModelLen = int(n * unit)
	return nil
}
