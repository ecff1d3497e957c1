package protocol

import (
	"math"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// DecodeMessages reads a request of Anthropic's Messages API. vLLM turns it into a chat completion, and so does this.
func DecodeMessages(contentType string, body []byte) (*Chat, *Error) {
	o, err := decodeBody(contentType, body)
	if err != nil {
		return nil, err
	}
	f := &fields{from: o, loc: "body"}
	c := newAnthropicChat()
	c.Model = f.required("model")
	c.conversation(f)
	c.maxTokens(f)
	f.dict("metadata")
	c.outputConfig(f)
	c.thinking(f)
	c.limits.Stop = f.stopSequences()
	c.Stream = f.boolean("stream", false)
	c.system(f)
	c.samplings.temperature = f.floatOr("temperature", 1)
	c.anthropicTools(f)
	c.samplings.topK, _ = f.integer("top_k")
	c.samplings.topP = f.floatOr("top_p", 1)
	f.literal("mm_payload", "tensors", "none")
	f.boolean("return_mm_kwargs", false)
	f.dict("kv_transfer_params")
	f.dict("chat_template_kwargs")
	return c, f.finish()
}

// DecodeCountTokens reads a request of /v1/messages/count_tokens.
func DecodeCountTokens(contentType string, body []byte) (*Chat, *Error) {
	o, err := decodeBody(contentType, body)
	if err != nil {
		return nil, err
	}
	f := &fields{from: o, loc: "body"}
	c := newAnthropicChat()
	c.Model = f.required("model")
	c.conversation(f)
	c.outputConfig(f)
	c.system(f)
	c.thinking(f)
	c.anthropicTools(f)
	f.dict("chat_template_kwargs")
	return c, f.finish()
}

func newAnthropicChat() *Chat {
	c := &Chat{Template: text.Template{AddGenerationPrompt: true}}
	c.N, c.samplings.repetition, c.maxName = 1, 1, "max_completion_tokens"
	c.box.parallel = true
	return c
}

// required reads a string that must be there.
func (f *fields) required(name string) string {
	f.missing(name)
	f.notNull(name, "string_type", "Input should be a valid string")
	return f.str(name)
}

func (c *Chat) maxTokens(f *fields) {
	f.missing("max_tokens")
	f.notNull("max_tokens", "int_type", intType)
	if c.max, c.maxGiven = f.integer("max_tokens"); c.maxGiven && c.max <= 0 {
		f.fault("max_tokens", "value_error", "Value error, max_tokens must be positive", f.from["max_tokens"],
			"{'error': ValueError('max_tokens must be positive')}")
	}
}

// stopSequences reads a list of at most four.
func (f *fields) stopSequences() []string {
	const name = "stop_sequences"
	list := f.list(name)
	if len(list) > maxStops {
		f.tooMany(name, len(list))
		return nil
	}
	var stops []string
	for i, item := range list {
		s, ok := item.(string)
		if !ok {
			f.fault(name+"."+itoa(i), "string_type", "Input should be a valid string", item, "")
		}
		stops = append(stops, s)
	}
	return stops
}

// outputConfig reads {effort, format}. A format holds the answer to a schema, which this server cannot do.
func (c *Chat) outputConfig(f *fields) {
	f.inside("output_config", f.dict("output_config"), func(config *fields) {
		config.literal("effort", "low", "medium", "high", "xhigh", "max")
		c.ask(config.dict("format") != nil, "output_config")
	})
}

// thinking reads how much the model may think. This one never does, which is its choice where the depth is adaptive.
func (c *Chat) thinking(f *fields) {
	f.inside("thinking", f.dict("thinking"), func(thinking *fields) {
		if thinking.literal("type", "enabled", "disabled", "adaptive") == "enabled" {
			thinking.between("budget_tokens", 1024, math.MaxInt64)
			c.ask(true, "thinking")
		}
	})
}

// anthropicTools reads tools and tool_choice into what the chat API calls them.
func (c *Chat) anthropicTools(f *fields) {
	kind := ""
	f.inside("tool_choice", f.dict("tool_choice"), func(choice *fields) {
		kind = choice.literal("type", "auto", "any", "tool", "none")
		c.box.name = choice.str("name")
		c.box.parallel = !choice.boolean("disable_parallel_tool_use", false)
	})
	list := f.list("tools")
	for i, v := range list {
		if tool, ok := v.(object); ok {
			f.inside("tools."+itoa(i), tool, c.anthropicTool)
		} else {
			f.fault("tools."+itoa(i), "model_attributes_type", notAnObject, v, "")
		}
	}
	if len(list) > 0 {
		c.box.choosing = map[string]choosing{"": auto, "auto": auto, "any": required, "tool": named, "none": noCalls}[kind]
	}
}

func (c *Chat) anthropicTool(f *fields) {
	t := text.Tool{Name: f.required("name")}
	f.missing("input_schema")
	schema := f.dict("input_schema")
	t.Schema = argumentsSchema(schema)
	c.box.tools = append(c.box.tools, t)
	c.Template.Tools = append(c.Template.Tools, pyJSON(object{"type": "function", "function": object{
		"name": t.Name, "description": f.str("description"), "parameters": schema}}))
}
