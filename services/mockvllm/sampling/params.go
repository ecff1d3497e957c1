package sampling

import (
	"math"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Params say how an answer is made. The zero value is not valid; Default is what vLLM assumes.
type Params struct {
	N                 int64
	PresencePenalty   float64
	FrequencyPenalty  float64
	RepetitionPenalty float64
	Temperature       float64 // 0 is greedy
	TopP, MinP        float64
	TopK              int64
	Seed              *int64 // nil: none
	MaxTokens         int64
	MinTokens         int64 // before these nothing but MaxTokens ends an answer

	Stop          []string
	StopTokenIDs  []int64
	IncludeStop   bool // keep the stop string in the text
	IgnoreEOS     bool
	HideSpecial   bool // special tokens have no text
	SpacesBetween bool // between special tokens that are shown

	Bias       []Bias  // in the order of the request
	Allowed    []int64 // nil: all tokens
	BadWords   []string
	Constraint *Constraint // nil: none
	Repetition Repetition

	Beam bool // beam search with N beams: see Beams

	Logprobs       *int64  // alternatives to tell for each token; -1 is the vocabulary
	PromptLogprobs *int64  // the same for the tokens of the prompt
	LogprobTokens  []int64 // tell these instead of the likeliest
	StreamInterval int64   // tokens in a chunk, but for the first; 0 is the server's
	ThinkingBudget *int64
	ExpertsFrom    int64 // place in the prompt from which experts are told

	Beyond map[string]string // by field, what was written where that is beyond an int64; usually nil

	Extra *pyjson.Object // vLLM's extra_args: arguments for plugins, and for the transfer of caches; nil for none
}

// Beams are what a beam search with these parameters knows of them.
func (p Params) Beams() Params {
	b := Default()
	b.Beam, b.N, b.Temperature, b.MaxTokens = true, p.N, p.Temperature, p.MaxTokens
	b.IgnoreEOS, b.IncludeStop, b.HideSpecial = p.IgnoreEOS, p.IncludeStop, p.HideSpecial
	b.Seed, b.Beyond = p.Seed, p.Beyond
	if each := 2 * p.N; p.Logprobs != nil && *p.Logprobs >= 0 {
		each = min(each, *p.Logprobs)
		b.Logprobs = &each
	} else if p.Logprobs != nil {
		b.Logprobs = &each
	}
	return b
}

// Nothing tells that there is no token to be made. A beam search for none takes no step, and so no engine sees it; of other
// requests Check wants at least one.
func (p *Params) Nothing() bool { return p.Beam && p.MaxTokens <= 0 }

// Said is a field's number as the client wrote it.
func (p *Params) Said(name string, n int64) string {
	if text, beyond := p.Beyond[name]; beyond {
		return text
	}
	return strconv.FormatInt(n, 10)
}

// Constraint prescribes the form of an answer.
type Constraint struct {
	Kind string // json, json_object, regex, choice, grammar, structural_tag
	Spec any    // as decoded: a schema, a pattern, a list of choices

	// Fault, unless empty, is what vLLM says to several kinds at once, or to none.
	Fault string
}

// Repetition says when an answer counts as stuck: the last tokens are one pattern, Count times.
type Repetition struct{ MaxSize, MinSize, Count int64 }

// Default is vLLM's.
func Default() Params {
	return Params{N: 1, RepetitionPenalty: 1, Temperature: 1, TopP: 1, MaxTokens: 16, HideSpecial: true, SpacesBetween: true}
}

// Greedy tells whether the likeliest token is always taken.
func (p *Params) Greedy() bool { return p.Temperature < 1e-5 }

// Bias is added to the logit of a token, within -100 and 100.
type Bias struct {
	Key   string // the token as written, which may be larger than Token
	Token int64  // NoToken where the key is none
	By    float64
}

// NoToken stands for a key that is not a number.
const NoToken = math.MinInt64
