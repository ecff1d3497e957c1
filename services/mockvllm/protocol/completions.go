package protocol

import (
	"fmt"
	"math"
	"net/http"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// Completion is a request for text completions.
type Completion struct {
	Common
	Prompts []Prompt
}

// Prompt is one text to go on from.
type Prompt struct {
	Text   string
	Tokens []int // as given, or nil for text that is still to be encoded
}

const (
	maxPrompts       = 1024 // vLLM's VLLM_MAX_COMPLETION_PROMPTS
	defaultMaxTokens = 16   // of text completions
)

// DecodeCompletion reads a text completion request.
func DecodeCompletion(contentType string, body []byte) (*Completion, *Error) {
	o, err := decodeBody(contentType, body)
	if err != nil {
		return nil, err
	}
	if err := beforeCompletion(o); err != nil {
		return nil, err
	}
	return readCompletion(&fields{from: o, loc: "body"})
}

func beforeCompletion(o object) *Error {
	if err := before(o); err != nil {
		return err
	}
	prompt, embeds := o["prompt"], o["prompt_embeds"]
	if (prompt == nil || prompt == "") && embeds == nil {
		return badValue("prompt", "", "Either prompt or prompt_embeds must be provided and non-empty.")
	}
	if list, ok := prompt.([]any); ok && len(list) > maxPrompts && !tokenList(list) {
		return badValue("prompt", "", "prompt list length %d exceeds the maximum allowed count of %d. "+
			"To increase this limit, set the VLLM_MAX_COMPLETION_PROMPTS environment variable.", len(list), maxPrompts)
	}
	if embeds != nil {
		return badValue("prompt_embeds", "", "You must set `--enable-prompt-embeds` to input `prompt_embeds`.")
	}
	return nil
}

// readCompletion reads the fields in the order of vLLM's CompletionRequest.
func readCompletion(f *fields) (*Completion, *Error) {
	c := &Completion{}
	c.Model = f.str("model")
	c.prompts(f)
	c.ask(f.boolean("echo", false), "echo")
	c.samplings.frequency = f.floatOr("frequency_penalty", 0)
	c.bias(f)
	_, given := f.integer("logprobs")
	c.ask(given, "logprobs")
	c.max, given = f.integer("max_tokens")
	c.max, c.maxGiven, c.maxName = or(c.max, given, defaultMaxTokens), true, "max_tokens"
	f.notNull("n", "int_type", intType)
	n, given := f.integer("n")
	c.N = int(or(n, given, 1))
	c.samplings.presence = f.floatOr("presence_penalty", 0)
	f.between("seed", math.MinInt64, math.MaxInt64)
	c.limits.Stop = f.stops("stop")
	c.Stream = f.boolean("stream", false)
	c.streamOptions(f)
	_, suffix := f.get("suffix")
	f.str("suffix")
	c.samplings.temperature = f.floatOr("temperature", 1)
	c.samplings.topP = f.floatOr("top_p", 1)
	f.str("user")
	c.sampling(f)
	c.allowed(f)
	_, given = f.integer("prompt_logprobs")
	c.ask(given, "prompt_logprobs")
	c.ask(f.integers("logprob_token_ids") != nil, "logprob_token_ids")
	c.badWords(f)
	c.ask(!f.boolean("add_special_tokens", true), "add_special_tokens")
	c.responseFormat(f)
	c.structured(f)
	c.service(f)
	_, given = f.integer("thinking_token_budget")
	c.ask(given, "thinking_token_budget")
	if err := f.finish(); err != nil {
		return nil, err
	}
	if suffix {
		return nil, &Error{Status: http.StatusBadRequest, Type: TypeBadRequest, Param: "suffix",
			Message: "suffix is only supported for models with FIM completion rendering"}
	}
	return c, nil
}

// prompts reads a text, a list of texts, a list of tokens or a list of such lists.
func (c *Completion) prompts(f *fields) {
	v, _ := f.get("prompt")
	if s, ok := v.(string); ok {
		c.Prompts = []Prompt{{Text: s}}
		return
	}
	list, ok := v.([]any)
	if !ok {
		f.fault("prompt", "string_type", "Input should be a valid string", v, "")
		return
	}
	if tokenList(list) {
		c.Prompts = []Prompt{{Tokens: f.integers("prompt")}}
		return
	}
	for i, item := range list {
		switch item := item.(type) {
		case string:
			c.Prompts = append(c.Prompts, Prompt{Text: item})
		case []any:
			inner := fields{from: object{"prompt": item}, loc: f.loc}
			c.Prompts = append(c.Prompts, Prompt{Tokens: append([]int{}, inner.integers("prompt")...)})
			for _, bad := range inner.faults {
				f.fault(fmt.Sprintf("prompt.%d", i), bad.kind, bad.msg, bad.input, bad.ctx)
			}
		default:
			f.fault(fmt.Sprintf("prompt.%d", i), "string_type", "Input should be a valid string", item, "")
		}
	}
}

func tokenList(list []any) bool {
	if len(list) == 0 {
		return false
	}
	_, isNumber := list[0].(number)
	return isNumber
}

// encode turns a prompt into tokens, of which the first begins the text.
func (p Prompt) encode() []int {
	if p.Tokens != nil {
		return p.Tokens
	}
	return text.Encode("<|begin|>" + p.Text)
}

// asked is the prompt as text, for the answer.
func (p Prompt) asked() string {
	if p.Tokens != nil {
		return text.Decode(p.Tokens)
	}
	return p.Text
}
