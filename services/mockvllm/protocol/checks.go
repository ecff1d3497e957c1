package protocol

import (
	"math"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// maxN is vLLM's VLLM_MAX_N_SEQUENCES.
const maxN = 16384

// Model is what a request is checked against.
type Model struct {
	Name   string // first served one
	MaxLen int    // tokens of prompt and answer
	Parser bool   // calls can be read from answers
	Auto   bool   // and the model may decide to call
}

// Plan checks a chat request and writes its answers, one for each choice.
func (c *Chat) Plan(m Model) ([]Work, *Error) {
	if err := c.callable(m); err != nil {
		return nil, err
	}
	prompt, err := c.render(m)
	if err != nil {
		return nil, err
	}
	if err := tooManyChars(prompt, m.MaxLen); err != nil {
		return nil, err
	}
	return c.plan(text.Encode(prompt), c.reply, m.MaxLen)
}

// render is the prompt as the model reads it.
func (c *Chat) render(m Model) (string, *Error) {
	if len(c.Messages) == 0 {
		return "", badRequest("Cannot apply chat template to an empty conversation. Provide at least one message.")
	}
	if c.Template.AddGenerationPrompt && c.Template.ContinueFinalMessage {
		return "", badRequest("Cannot set both `continue_final_message` and `add_generation_prompt` to True.")
	}
	if c.media {
		return "", badRequest("%s is not a multimodal model", m.Name)
	}
	prompt := c.Template.Render(c.Messages)
	return prompt, badText(prompt)
}

// Plan checks a text completion request and writes its answers, those of the first prompt first.
func (c *Completion) Plan(m Model) ([]Work, *Error) {
	if len(c.Prompts) == 0 {
		return nil, badRequest("You must pass at least one prompt")
	}
	var all []Work
	for _, p := range c.Prompts {
		if err := p.check(m.MaxLen); err != nil {
			return nil, err
		}
		works, err := c.plan(p.encode(), func() (reply, *Error) { return reply{text: text.Guide(p.asked())}, nil }, m.MaxLen)
		if err != nil {
			return nil, err
		}
		all = append(all, works...)
	}
	return all, nil
}

func (p Prompt) check(maxLen int) *Error {
	if p.Tokens == nil {
		if err := badText(p.Text); err != nil {
			return err
		}
		return tooManyChars(p.Text, maxLen)
	}
	if len(p.Tokens) == 0 {
		return badRequest("The decoder prompt cannot be empty")
	}
	for _, id := range p.Tokens {
		if !text.Known(id) {
			return badRequest("Token id %d is out of vocabulary", id)
		}
	}
	return nil
}

// reply is what a model says to a prompt, before any limit cuts it.
type reply struct {
	text     string
	calls    choosing
	parallel bool
}

// plan checks lengths, then ranges, then what this server cannot do, and answers.
func (c *Common) plan(prompt []int, answer func() (reply, *Error), maxLen int) ([]Work, *Error) {
	budget, err := c.budget(len(prompt), maxLen)
	if err != nil {
		return nil, err
	}
	if err := c.ranges(budget); err != nil {
		return nil, err
	}
	if len(c.undone) > 0 {
		return nil, notDone(c.undone[0])
	}
	said, err := answer()
	if err != nil {
		return nil, err
	}
	limits := c.limits
	limits.Max = int(budget)
	work := newWork(prompt, text.Complete(said.text, limits), said.calls, said.parallel)
	works := make([]Work, c.N)
	for i := range works {
		works[i] = work
	}
	return works, nil
}

// budget is how many tokens the answer may have: what was asked for, but no more than the context has left.
func (c *Common) budget(prompt, maxLen int) (int64, *Error) {
	if c.maxGiven && c.max > int64(maxLen) {
		return 0, badValue(c.maxName, strconv.FormatInt(c.max, 10),
			"%s=%d cannot be greater than max_model_len=%d. Please request fewer output tokens.", c.maxName, c.max, maxLen)
	}
	if prompt > maxLen {
		return 0, badValue("input_tokens", strconv.Itoa(maxLen+1), "This model's maximum context length is %d tokens. "+
			"However, your prompt contains at least %d input tokens, which exceeds this limit even without any output tokens. "+
			"Please reduce the length of the input prompt.", maxLen, maxLen+1)
	}
	budget := int64(maxLen - prompt)
	if c.maxGiven {
		budget = min(budget, c.max)
	}
	return budget, nil
}

func tooManyChars(prompt string, maxLen int) *Error {
	bound, n := maxLen*text.LongestToken, text.Chars(prompt)
	if n <= bound {
		return nil
	}
	return badValue("input_text", strconv.Itoa(n), "This model's maximum context length is %d tokens. "+
		"However, your prompt contains %d characters (more than %d characters, which is the upper bound for %d input tokens). "+
		"Please reduce the length of the input prompt.", maxLen, n, bound, maxLen)
}

// ranges checks values in the order of vLLM's sampling parameters.
func (c *Common) ranges(budget int64) *Error {
	s := c.samplings
	switch {
	case c.N < 1:
		return badRequest("n must be at least 1, got %d.", c.N)
	case c.N > maxN:
		return badRequest("n must be at most %d, got %d. To increase this limit, set the VLLM_MAX_N_SEQUENCES environment variable.", maxN, c.N)
	case outside(s.presence, -2, 2):
		return badRequest("presence_penalty must be in [-2, 2], got %s.", PythonFloat(s.presence))
	case outside(s.frequency, -2, 2):
		return badRequest("frequency_penalty must be in [-2, 2], got %s.", PythonFloat(s.frequency))
	case !(s.repetition > 0):
		return badRequest("repetition_penalty must be greater than zero, got %s.", PythonFloat(s.repetition))
	}
	if err := temperature(s.temperature); err != nil {
		return err
	}
	switch {
	case !(s.topP > 0) || s.topP > 1:
		return badValue("top_p", PythonFloat(s.topP), "top_p must be in (0, 1], got %s.", PythonFloat(s.topP))
	case s.topK < -1:
		return badRequest("top_k must be 0 (disable), or at least 1, got %d.", s.topK)
	case outside(s.minP, 0, 1):
		return badRequest("min_p must be in [0, 1], got %s.", PythonFloat(s.minP))
	case budget < 1:
		return badValue("max_tokens", strconv.FormatInt(budget, 10), "max_tokens must be at least 1, got %d.", budget)
	case c.limits.Min < 0:
		return badRequest("min_tokens must be greater than or equal to 0, got %d.", c.limits.Min)
	case int64(c.limits.Min) > budget:
		return badRequest("min_tokens must be less than or equal to max_tokens=%d, got %d.", budget, c.limits.Min)
	case c.N > 1 && s.temperature == 0:
		return badRequest("n must be 1 when using greedy sampling, got %d.", c.N)
	}
	for _, stop := range c.limits.Stop {
		if stop == "" {
			return badRequest("stop cannot contain an empty string.")
		}
	}
	if c.noneAllowed {
		return badValue("allowed_token_ids", "[]", "allowed_token_ids is not None and empty!")
	}
	return c.stopTokens()
}

// outside is true for NaN too.
func outside(x, low, high float64) bool { return !(x >= low && x <= high) }

func temperature(t float64) *Error {
	got := PythonFloat(t)
	switch {
	case math.IsNaN(t) || math.IsInf(t, 0):
		return badValue("temperature", got, "temperature must be a finite number, got %s.", got)
	case t < 0:
		return badValue("temperature", got, "temperature must be non-negative, got %s.", got)
	case t > 2:
		return badValue("temperature", got, "temperature must be in [0, 2], got %s.", got)
	}
	return nil
}

func (c *Common) stopTokens() *Error {
	var unknown []string
	for _, id := range c.limits.StopTokens {
		if !text.Known(id) {
			unknown = append(unknown, strconv.Itoa(id))
		}
	}
	if unknown == nil {
		return nil
	}
	ids := "[" + strings.Join(unknown, ", ") + "]"
	return badValue("stop_token_ids", ids, "token_id(s) %s in stop_token_ids contain out-of-vocab token ids. Vocabulary size: %d", ids, text.Vocabulary)
}
