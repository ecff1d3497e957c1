package request

import (
	"slices"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Model is what requests are checked against and answered by.
type Model struct {
	*generation.Model
	Name        string // first served one
	MaxLen      int    // tokens of prompt and answer
	MaxSeqs     int    // answers that run at a time
	MaxLogprobs int    // likelihoods of a token that a request may ask for; -1 for all
	Defaults    Defaults
	Templates   Templates
	Tools       string // name of the parser of tool calls, "" for none
	Reasoning   string // name of the reasoning parser, "" for none

	Role        string // who speaks in a chat's answers
	ForceUsage  bool   // every stream tells the usage
	TokensAsIDs bool   // likelihoods name tokens by their ids
}

// Limits are what the engine holds the parameters of requests against.
func (m *Model) Limits() sampling.Limits {
	return sampling.Limits{Vocabulary: m.Tokenizer.Size(), MaxLogprobs: m.MaxLogprobs, Reasoning: m.Reasoning != ""}
}

// Defaults are the server's own sampling parameters, by their names in a generation config. Nil is vLLM's own.
type Defaults struct {
	Temperature       *float64 `json:"temperature"`
	TopP              *float64 `json:"top_p"`
	TopK              *int64   `json:"top_k"`
	MinP              *float64 `json:"min_p"`
	RepetitionPenalty *float64 `json:"repetition_penalty"`
	MaxTokens         *int64   `json:"max_new_tokens"` // no answer is longer
}

// Common is what all requests for text have.
type Common struct {
	Model      string // "" for the default one
	Stream     bool
	N          int64
	RequestID  *string // nil: none was given
	CacheSalt  string
	Priority   int64
	Items      *int  // texts that are scored, which the queue limits count in place of N; nil for others
	Interval   int64 // tokens of a frame, but for the first of a choice; 0 is the server's
	AtOnce     bool  // each choice is told in one frame
	Usage      bool  // the stream ends with a usage chunk
	Continuous bool  // each chunk carries the usage so far
	Parsed     Parsed
	Unsendable bool // something in it cannot be told to vLLM's engine: a number too large, half of a UTF-16 pair
}

// Parsed is how often the tool parser has run for a request so far: over a whole choice, or over one delta of a stream.
type Parsed struct {
	Called, Uncalled int // with a call in what it found, and without
}

func (p *Parsed) count(called bool) {
	if called {
		p.Called++
	} else {
		p.Uncalled++
	}
}

// ReadCommon takes the fields that chat and text completions name alike.
func ReadCommon(v *schema.Values, m *Model) Common {
	c := Common{Model: Str(v, "model"), Stream: v.Bool("stream"), N: orInt(v, "n", 1), RequestID: optStr(v, "request_id"),
		CacheSalt: Str(v, "cache_salt"), Priority: orInt(v, "priority", 0), Interval: orInt(v, "stream_interval", 0)}
	c.Unsendable = pyjson.HasSurrogate(Str(v, "session_id")) || tooLarge(v.Get("stream_interval"))
	if options := v.Values("stream_options"); options != nil {
		c.Usage = options.Bool("include_usage")
		c.Continuous = c.Usage && options.Bool("continuous_usage_stats")
	}
	if m.ForceUsage {
		c.Usage, c.Continuous = true, true
	}
	return c
}

// tooLarge tells whether an integer takes more than 64 bits.
func tooLarge(val any) bool {
	n, ok := val.(pyjson.Number)
	if !ok {
		return false
	}
	_, err := strconv.ParseUint(string(n), 10, 64)
	return err != nil
}

func orInt(v *schema.Values, name string, absent int64) int64 {
	if n, given := v.Int(name); given {
		return n
	}
	return absent
}

// Str is a string; a field that is null is empty.
func Str(v *schema.Values, name string) string {
	s, _ := v.Str(name)
	return s
}

// optStr is nil for a field that is null.
func optStr(v *schema.Values, name string) *string {
	s, given := v.Str(name)
	if !given {
		return nil
	}
	return new(s)
}

// List is a list; nil for a field that is null.
func List(v *schema.Values, name string) []any {
	list, _ := v.List(name)
	return list
}

// TokensAsIDs tells whether tokens are named by their ids: as the request says, else as the server does.
func TokensAsIDs(v *schema.Values, m *Model) bool {
	if asked, given := v.Get("return_tokens_as_token_ids").(bool); given {
		return asked
	}
	return m.TokensAsIDs
}

// optInt is nil for a field that is absent or null.
func optInt(v *schema.Values, name string) *int64 {
	n, given := v.Int(name)
	if !given {
		return nil
	}
	return new(n)
}

// minTemperature is the lowest one that vLLM samples at, unless it is greedy.
const minTemperature = 0.01

// Sampling reads the sampling parameters that chat and text completions name alike; a field that is not given has the
// server's default.
func Sampling(v *schema.Values, d Defaults) sampling.Params {
	p := sampling.Default()
	p.N = orInt(v, "n", 1)
	for _, f := range []struct {
		name string
		to   *float64
		from *float64
	}{
		{"presence_penalty", &p.PresencePenalty, nil}, {"frequency_penalty", &p.FrequencyPenalty, nil},
		{"repetition_penalty", &p.RepetitionPenalty, d.RepetitionPenalty}, {"temperature", &p.Temperature, d.Temperature},
		{"top_p", &p.TopP, d.TopP}, {"min_p", &p.MinP, d.MinP},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
		if x, given := v.Float(f.name); given {
			*f.to = x
		}
	}
	if p.Temperature > 0 && p.Temperature < minTemperature {
		p.Temperature = minTemperature
	}
	if d.TopK != nil {
		p.TopK = *d.TopK
	}
	p.TopK = orInt(v, "top_k", p.TopK)
	if seed := optInt(v, "seed"); seed != nil && *seed != -1 {
		p.Seed = seed
	}
	p.MinTokens = orInt(v, "min_tokens", 0)
	p.IncludeStop = v.Bool("include_stop_str_in_output")
	p.IgnoreEOS = v.Bool("ignore_eos")
	p.HideSpecial = v.Bool("skip_special_tokens")
	p.SpacesBetween = v.Bool("spaces_between_special_tokens")
	p.PromptLogprobs = optInt(v, "prompt_logprobs")
	p.ThinkingBudget = optInt(v, "thinking_token_budget")
	p.StreamInterval = orInt(v, "stream_interval", 0)
	p.ExpertsFrom = orInt(v, "routed_experts_prompt_start", 0)
	p.Beyond = beyond(v)
	p.Stop = stops(v)
	p.StopTokenIDs = unique(ints(v, "stop_token_ids"))
	if ids := ints(v, "logprob_token_ids"); len(ids) > 0 {
		p.LogprobTokens = ids
	}
	p.Allowed = ints(v, "allowed_token_ids")
	for _, w := range List(v, "bad_words") {
		p.BadWords = append(p.BadWords, w.(string))
	}
	p.BadWords = unique(p.BadWords)
	p.Bias = bias(v)
	p.Constraint = constraint(v)
	if r := v.Values("repetition_detection"); r != nil {
		p.Repetition = sampling.Repetition{MaxSize: orInt(r, "max_pattern_size", 0), MinSize: orInt(r, "min_pattern_size", 0), Count: orInt(r, "min_count", 0)}
	}
	return p
}

// unique leaves the first of equal ones, as vLLM does, in the list itself.
func unique[T comparable](list []T) []T {
	if len(list) < 2 {
		return list
	}
	seen := map[T]bool{}
	return slices.DeleteFunc(list, func(x T) bool {
		again := seen[x]
		seen[x] = true
		return again
	})
}

// beyond are the numbers beyond an int64, as written, by the names that the checks have for them. Where several fields have one
// name, the last counts.
func beyond(v *schema.Values) (all map[string]string) {
	if !v.Large() {
		return nil
	}
	for _, f := range [][2]string{{"n", "n"}, {"top_k", "top_k"}, {"min_tokens", "min_tokens"}, {"logprobs", "logprobs"}, {"top_logprobs", "logprobs"},
		{"prompt_logprobs", "prompt_logprobs"}, {"routed_experts_prompt_start", "routed_experts_prompt_start"}, {"max_tokens", "max_tokens"},
		{"max_output_tokens", "max_tokens"}, {"max_completion_tokens", "max_tokens"}} {
		if large, ok := v.Get(f[0]).(pyjson.Number); ok {
			if all == nil {
				all = map[string]string{}
			}
			all[f[1]] = string(large)
		}
	}
	return all
}

// stops reads a string or a list of them.
func stops(v *schema.Values) (all []string) {
	if s, one := v.Str("stop"); one {
		return []string{s}
	}
	for _, s := range List(v, "stop") {
		all = append(all, s.(string))
	}
	return all
}

// ints is nil for a field that is absent or null.
func ints(v *schema.Values, name string) []int64 {
	list := List(v, name)
	if list == nil {
		return nil
	}
	ids := make([]int64, len(list))
	for i, id := range list {
		ids[i], _ = schema.Int(id)
	}
	return ids
}

// Shared gives what all requests for text have.
func (c *Common) Shared() *Common { return c }
