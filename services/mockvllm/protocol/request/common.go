package request

import (
	"math"
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
	c.Unsendable = pyjson.HasSurrogate(Str(v, "session_id")) || tooLarge(v.Get("stream_interval")) || tooLarge(v.Get("top_k"))
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

// Tokens reads the tokens of a prompt, and the first of those that are beyond an int64, as it was written.
func Tokens(list []any) (tokens []int, beyond string) {
	for _, id := range list {
		n, _ := schema.Int(id)
		if number, ok := id.(pyjson.Number); ok && n == math.MaxInt64 && beyond == "" {
			beyond = string(number)
		}
		tokens = append(tokens, int(n))
	}
	return tokens, beyond
}

// Shared gives what all requests for text have.
func (c *Common) Shared() *Common { return c }
