package generate

import (
	"math"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Request is one for tokens that follow tokens.
type Request struct {
	request.Common
	v      *schema.Values
	given  *pyjson.Object // sampling parameters
	model  *request.Model
	params sampling.Params
	work   *generation.Work
	text   bool // tell the words too
}

// Read takes a request apart that the schema has accepted.
func Read(v *schema.Values, m *request.Model) *Request {
	r := &Request{Common: request.ReadCommon(v, m), v: v, model: m, given: v.Object("sampling_params"), text: request.Str(v, "output_mode") == "text"}
	options := v.Values("stream_options")
	r.Usage = options.Bool("include_usage")
	r.Continuous = r.Usage && options.Bool("continuous_usage_stats")
	r.params = readParams(r.given)
	r.N, r.Interval = r.params.N, r.params.StreamInterval
	return r
}

// readParams reads what SamplingParams holds.
func readParams(o *pyjson.Object) sampling.Params {
	integer := func(name string) int64 { n, _ := schema.Int(o.Value(name)); return n }
	float := func(name string) float64 { f, _ := o.Value(name).(float64); return f }
	truth := func(name string) bool { b, _ := o.Value(name).(bool); return b }
	optional := func(name string) *int64 {
		if n, ok := schema.Int(o.Value(name)); ok {
			return &n
		}
		return nil
	}
	p := sampling.Params{N: integer("n"), PresencePenalty: float("presence_penalty"), FrequencyPenalty: float("frequency_penalty"),
		RepetitionPenalty: float("repetition_penalty"), Temperature: float("temperature"), TopP: float("top_p"), MinP: float("min_p"),
		TopK: integer("top_k"), Seed: optional("seed"), MaxTokens: integer("max_tokens"), MinTokens: integer("min_tokens"),
		Stop: protocol.Texts(o.Value("stop")), StopTokenIDs: protocol.Int64s(o.Value("stop_token_ids")), IncludeStop: truth("include_stop_str_in_output"),
		IgnoreEOS: truth("ignore_eos"), HideSpecial: truth("skip_special_tokens"), SpacesBetween: truth("spaces_between_special_tokens"),
		Allowed: protocol.Int64s(o.Value("allowed_token_ids")), BadWords: protocol.Texts(o.Value("bad_words")), Logprobs: optional("logprobs"),
		PromptLogprobs: optional("prompt_logprobs"), LogprobTokens: protocol.Int64s(o.Value("logprob_token_ids")),
		StreamInterval: integer("stream_interval"), ThinkingBudget: optional("thinking_token_budget")}
	if bias, ok := o.Value("logit_bias").(*pyjson.Object); ok {
		for key, by := range bias.All() {
			weight, _ := by.(float64)
			p.Bias = append(p.Bias, sampling.Bias{Key: key, Token: tokenOf(key), By: weight})
		}
	}
	member := protocol.Members(o.Value("structured_outputs"))
	for _, kind := range []string{"json", "regex", "choice", "grammar", "json_object", "structural_tag"} {
		if spec := member(kind); spec != nil {
			p.Constraint = &sampling.Constraint{Kind: kind, Spec: spec}
			break
		}
	}
	stuck := protocol.Members(o.Value("repetition_detection"))
	p.Repetition.MaxSize, _ = schema.Int(stuck("max_pattern_size"))
	p.Repetition.MinSize, _ = schema.Int(stuck("min_pattern_size"))
	p.Repetition.Count, _ = schema.Int(stuck("min_count"))
	return p
}

// Works makes the checks that come before a stream has its 200. What the engine finds wrong comes later.
func (r *Request) Works() ([]*generation.Work, *protocol.Error) {
	scores := r.given.Value("prompt_logprob_token_ids")
	switch {
	case r.N > int64(r.model.MaxSeqs):
		return nil, protocol.BadRequest("sampling_params.n must be at most the server's max_num_seqs (%d), got %d.", r.model.MaxSeqs, r.N)
	case r.Stream && scores != nil:
		return nil, protocol.BadRequest("prompt_logprob_token_ids are not available when stream=true.")
	case r.unsendable():
		return nil, protocol.BadRequest("can't serialize ints < -2**63 or > 2**64 - 1")
	}
	prompt := generation.Prompt{}
	prompt.Tokens, prompt.Beyond = request.Tokens(request.List(r.v, "token_ids"))
	prompt.Asked = strings.TrimSpace(r.model.Tokenizer.Decode(prompt.Tokens, true)) // a template's line ends were not asked
	r.work = &generation.Work{Prompt: prompt, Params: &r.params, Late: r.late(len(prompt.Tokens), scores != nil)}
	room := int64(r.model.MaxLen - len(prompt.Tokens))
	most, given := r.given.Get("max_tokens")
	switch {
	case !given:
		r.params.MaxTokens = request.Length{}.Budget(&prompt, r.model)
	case most == nil:
		r.params.MaxTokens = room
	}
	r.params.MaxTokens = min(r.params.MaxTokens, room)
	return []*generation.Work{r.work}, nil
}

// unsendable tells whether vLLM could not send the request to its engine, which it tries before it looks further.
func (r *Request) unsendable() bool {
	bias, _ := r.given.Value("logit_bias").(*pyjson.Object)
	for key := range bias.All() {
		if schema.Beyond64(pyjson.Number(key)) {
			return true
		}
	}
	stuck := protocol.Members(r.given.Value("repetition_detection"))
	return schema.Beyond64([]any{r.given, protocol.Members(r.given.Value("structured_outputs"))("json"), stuck("max_pattern_size"),
		stuck("min_pattern_size"), stuck("min_count"), r.v.Get("kv_transfer_params"), r.v.Get("ec_transfer_params")})
}

// late is what the engine finds wrong.
func (r *Request) late(prompt int, scores bool) *protocol.Error {
	trace, start := r.given.Value("trace_decode_token_ids"), r.given.Value("prompt_logprob_start")
	switch {
	case scores:
		return protocol.BadValue("prompt_logprob_token_ids", "", "prompt_logprob_token_ids requires the V2 model runner (VLLM_USE_V2_MODEL_RUNNER=1).")
	case start != nil:
		return protocol.BadValue("prompt_logprob_start", pyjson.Str(start), "prompt_logprob_start requires prompt_logprob_token_ids.")
	case trace != nil:
		return protocol.BadRequest("trace_decode_token_ids is set but trace replay is not enabled. Start the engine with --enable-trace-replay to use it.")
	}
	if err := request.TooLong(prompt, r.model); err != nil {
		return err
	}
	return r.media()
}

// media refuses what is no text: the model takes nothing else.
func (r *Request) media() *protocol.Error {
	places := r.v.Values("features").Object("mm_placeholders")
	for kind, spans := range places.All() {
		spans, _ := spans.([]any)
		if len(spans) == 0 {
			continue
		}
		n, _ := schema.Int(protocol.Members(spans[0])("length"))
		return protocol.BadRequest("The decoder prompt contains a(n) %s item with %d embedding tokens, which exceeds the pre-allocated encoder cache size 0. "+
			"Please reduce the input size or increase the encoder cache size by setting --limit-mm-per-prompt at startup.", kind, n)
	}
	return nil
}

// tokenOf reads a key that the schema took for an integer.
func tokenOf(key string) int64 {
	id, err := strconv.ParseInt(strings.TrimSpace(key), 10, 64)
	if err != nil {
		return math.MaxInt64 // in no vocabulary
	}
	return id
}
