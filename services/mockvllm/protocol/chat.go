package protocol

import (
	"math"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// Chat is a request for a chat completion.
type Chat struct {
	Common
	Messages []text.Message
	Template text.Template

	media bool // a part that is not text
	box   toolbox
}

// DecodeChat reads a chat completion request. What is wrong comes back as an *Error, in vLLM's order of checks.
func DecodeChat(contentType string, body []byte) (*Chat, *Error) {
	o, err := decodeBody(contentType, body)
	if err != nil {
		return nil, err
	}
	for _, check := range []func(object) *Error{before, beforeChat} {
		if err := check(o); err != nil {
			return nil, err
		}
	}
	return readChat(&fields{from: o, loc: "body"})
}

// beforeChat checks raw values of chat requests only.
func beforeChat(o object) *Error {
	if err := notIterable(o); err != nil {
		return err
	}
	if err := topLogprobs(o); err != nil {
		return err
	}
	if _, there := o["logprob_token_ids"].([]any); there {
		if logprobs, _ := laxBool(o["logprobs"]); !logprobs {
			return badValue("logprob_token_ids", "", "when using `logprob_token_ids`, `logprobs` must be set to true.")
		}
	}
	return beforeTools(o)
}

func notIterable(o object) *Error {
	v, there := o["messages"]
	if !there {
		return nil
	}
	kind := ""
	switch v := v.(type) {
	case nil:
		kind = "NoneType"
	case bool:
		kind = "bool"
	case number:
		if kind = "float"; v.integer() {
			kind = "int"
		}
	default:
		return nil
	}
	return badRequest("'%s' object is not iterable", kind)
}

func topLogprobs(o object) *Error {
	v := o["top_logprobs"]
	if v == nil {
		return nil
	}
	n, ok := v.(number)
	if !ok || !n.integer() {
		return badValue("top_logprobs", pyString(v), "`top_logprobs` must be an integer.")
	}
	top := clamped(string(n))
	if top < 0 && top != -1 {
		return badValue("top_logprobs", string(n), "`top_logprobs` must be a positive value or -1.")
	}
	if logprobs, _ := laxBool(o["logprobs"]); top != 0 && !logprobs {
		return badValue("top_logprobs", "", "when using `top_logprobs`, `logprobs` must be set to true.")
	}
	return nil
}

// readChat reads the fields in the order of vLLM's ChatCompletionRequest.
func readChat(f *fields) (*Chat, *Error) {
	c := &Chat{}
	c.messages(f)
	c.Model = f.str("model")
	c.samplings.frequency = f.floatOr("frequency_penalty", 0)
	c.bias(f)
	c.ask(f.boolean("logprobs", false), "logprobs")
	f.integer("top_logprobs")
	c.max, c.maxGiven = f.integer("max_tokens")
	c.maxName = "max_tokens"
	if n, given := f.integer("max_completion_tokens"); given {
		c.max, c.maxGiven, c.maxName = n, true, "max_completion_tokens"
	}
	n, given := f.integer("n")
	c.N = int(or(n, given, 1))
	c.samplings.presence = f.floatOr("presence_penalty", 0)
	c.responseFormat(f)
	f.between("seed", math.MinInt64, math.MaxInt64)
	c.limits.Stop = f.stops("stop")
	c.Stream = f.boolean("stream", false)
	c.streamOptions(f)
	c.samplings.temperature = f.floatOr("temperature", 1)
	c.samplings.topP = f.floatOr("top_p", 1)
	c.tools(f)
	f.literal("reasoning_effort", "none", "minimal", "low", "medium", "high", "xhigh", "max")
	_, given = f.integer("thinking_token_budget")
	c.ask(given, "thinking_token_budget")
	f.boolean("include_reasoning", true)
	c.box.parallel = f.boolean("parallel_tool_calls", true)
	f.str("user")
	c.sampling(f)
	c.probabilities(f)
	template := c.template(f)
	c.structured(f)
	c.service(f)
	if err := f.finish(); err != nil {
		return nil, err
	}
	if template != "" {
		return nil, badRequest("Chat template is passed with request, but --trust-request-chat-template is not set. Refused request with untrusted chat template.")
	}
	return c, nil
}

// template reads how the conversation is rendered and returns a template of the request's own.
func (c *Chat) template(f *fields) string {
	c.ask(f.boolean("echo", false), "echo")
	c.Template.AddGenerationPrompt = f.boolean("add_generation_prompt", true)
	c.Template.ContinueFinalMessage = f.boolean("continue_final_message", false)
	c.ask(f.boolean("add_special_tokens", false), "add_special_tokens")
	f.list("documents")
	own := f.str("chat_template")
	for _, name := range []string{"chat_template_kwargs", "media_io_kwargs", "mm_processor_kwargs"} {
		f.dict(name)
	}
	return own
}

// probabilities reads what asks for logprobs or forbids tokens.
func (c *Common) probabilities(f *fields) {
	_, given := f.integer("prompt_logprobs")
	c.ask(given, "prompt_logprobs")
	c.ask(f.integers("logprob_token_ids") != nil, "logprob_token_ids")
	c.allowed(f)
	c.badWords(f)
}

func (c *Common) allowed(f *fields) {
	c.ask(f.integers("allowed_token_ids") != nil, "allowed_token_ids")
}

func (c *Common) badWords(f *fields) { c.ask(len(f.list("bad_words")) > 0, "bad_words") }
