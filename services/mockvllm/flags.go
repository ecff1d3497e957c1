package mockvllm

import (
	"encoding"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// arity is how many values a flag takes.
type arity int

const (
	one  arity = iota
	many       // one or more
	none       // a switch, with a --no- form
)

// flag is one option of vllm serve.
type flag struct {
	arity arity
	// set takes the values; a switch gets "true" or "false". Flags without it are understood and have no effect.
	set func(c *Config, values []string) error
}

// badValue is a value that argparse would refuse in these words.
type badValue struct{ kind, value string }

func (e badValue) Error() string { return fmt.Sprintf("invalid %s value: '%s'", e.kind, e.value) }

// usageError ends the program with exit code 2, as argparse does.
type usageError struct{ prog, msg string }

func (e usageError) Error() string { return e.prog + ": error: " + e.msg }

// commandLine is a parsed `serve`.
type commandLine struct {
	model, served bool     // given by flags or argument
	given         []string // non-default arguments, for the log
	idle          []string // accepted flags without effect
}

// parseServe reads the arguments after serve into cfg.
func parseServe(args []string, cfg *Config) (commandLine, error) {
	var cl commandLine
	table := flags()
	var unknown []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !isFlag(arg) {
			if cl.model {
				unknown = append(unknown, arg)
				continue
			}
			cfg.Model, cl.model = arg, true
			continue
		}
		name, value, hasValue := strings.Cut(arg, "=")
		name = strings.ReplaceAll(name, "_", "-")
		f, values, rest, ok := lookUp(table, name, value, hasValue, args)
		if !ok {
			unknown = append(unknown, arg)
			continue
		}
		args = rest
		if err := cl.apply(f, name, values, cfg); err != nil {
			return cl, usageError{"vllm serve", "argument " + name + ": " + err.Error()}
		}
	}
	if unknown != nil {
		return cl, usageError{"vllm", "unrecognized arguments: " + strings.Join(unknown, " ")}
	}
	return cl, nil
}

// isFlag tells options from values. A negative number is a value, as for argparse.
func isFlag(arg string) bool {
	if len(arg) < 2 || arg[0] != '-' {
		return false
	}
	_, err := strconv.ParseFloat(arg, 64)
	return err != nil
}

// lookUp finds a flag and takes its values from args.
func lookUp(table map[string]flag, name, value string, hasValue bool, args []string) (f flag, values, rest []string, ok bool) {
	f, ok = table[name]
	if base, negated := strings.CutPrefix(name, "--no-"); !ok && negated && !hasValue {
		f, ok = table["--"+base]
		return f, []string{"false"}, args, ok && f.arity == none
	}
	if base, _, dotted := strings.Cut(name, "."); !ok && dotted { // --compilation-config.mode 3
		f, ok = table[base]
	}
	switch {
	case !ok:
		return f, nil, args, false
	case hasValue:
		return f, []string{value}, args, f.arity != none
	case f.arity == none:
		return f, []string{"true"}, args, true
	}
	for len(args) > 0 && !isFlag(args[0]) && (f.arity == many || values == nil) {
		values, args = append(values, args[0]), args[1:]
	}
	return f, values, args, true
}

func (cl *commandLine) apply(f flag, name string, values []string, cfg *Config) error {
	if len(values) == 0 {
		if f.arity == many {
			return fmt.Errorf("expected at least one argument")
		}
		return fmt.Errorf("expected one argument")
	}
	key := strings.ReplaceAll(strings.TrimPrefix(name, "--"), "-", "_")
	if name != "--api-key" { // a log is no place for keys
		cl.given = append(cl.given, fmt.Sprintf("'%s': '%s'", key, strings.Join(values, " ")))
	}
	cl.model = cl.model || name == "--model"
	cl.served = cl.served || name == "--served-model-name"
	if f.set == nil {
		cl.idle = append(cl.idle, name)
		return nil
	}
	return f.set(cfg, values)
}

// flags are the options by name.
func flags() map[string]flag {
	table := map[string]flag{
		"--model":             {one, text1(func(c *Config) *string { return &c.Model })},
		"--served-model-name": {many, func(c *Config, v []string) error { c.ServedNames = v; return nil }},
		"--host":              {one, text1(func(c *Config) *string { return &c.Host })},
		"--port":              {one, integer(func(c *Config) *int { return &c.Port })},
		"--api-key": {many, func(c *Config, v []string) error {
			c.APIKeys = slices.DeleteFunc(slices.Clone(v), func(k string) bool { return k == "" })
			return nil
		}},
		"--max-model-len":              {one, setMaxModelLen},
		"--max-num-seqs":               {one, integer(func(c *Config) *int { return &c.MaxNumSeqs })},
		"--shutdown-timeout":           {one, seconds},
		"--disable-uvicorn-access-log": {none, func(c *Config, v []string) error { c.AccessLog = v[0] != "true"; return nil }},

		"--mock-ttft":       {one, duration(func(c *Config) *time.Duration { return &c.Mock.TTFT })},
		"--mock-itl":        {one, duration(func(c *Config) *time.Duration { return &c.Mock.ITL })},
		"--mock-delay":      {one, duration(func(c *Config) *time.Duration { return &c.Mock.Delay })},
		"--mock-load-time":  {one, duration(func(c *Config) *time.Duration { return &c.Mock.LoadTime })},
		"--mock-answer":     {one, text1(func(c *Config) *string { return &c.Mock.Answer })},
		"--mock-error-rate": {one, setErrorRate},
		"--mock-rate-limit": {one, func(c *Config, v []string) error {
			var text encoding.TextUnmarshaler = &c.Mock.RateLimit
			return text.UnmarshalText([]byte(v[0]))
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
		--num-gpu-blocks-override --max-loras --max-lora-rank --max-cpu-loras --tool-call-parser --reasoning-parser
		--chat-template --chat-template-content-format --default-chat-template-kwargs --response-role --max-logprobs
		--generation-config --override-generation-config --fingerprint-mode --fingerprint-value --max-log-len
		--max-num-queued-reqs --max-num-queued-tokens --sse-keep-alive-interval --show-hidden-metrics-for-version
		--uvicorn-log-level --disable-access-log-for-endpoints --ssl-keyfile --ssl-certfile --ssl-ca-certs --ssl-cert-reqs
		--ssl-ciphers --allowed-origins --allowed-methods --allowed-headers --scheduling-policy --stream-interval
		--api-server-count -asc --data-parallel-size -dp --tensor-parallel-size -tp --pipeline-parallel-size -pp`,
	many: `--lora-modules`,
	none: `--trust-remote-code --enforce-eager --enable-chunked-prefill --async-scheduling --enable-prefix-caching
		--enable-lora --enable-auto-tool-choice --trust-request-chat-template --enable-prompt-tokens-details
		--enable-per-request-metrics --enable-server-load-tracking --enable-tokenizer-info-endpoint
		--enable-request-id-headers --enable-force-include-usage --enable-log-requests --enable-log-outputs
		--enable-scale-out --disable-log-stats --enable-ssl-refresh --allow-credentials --enable-sleep-mode
		--enable-expert-parallel -ep --disable-fastapi-docs`,
}

func text1(at func(*Config) *string) func(*Config, []string) error {
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
