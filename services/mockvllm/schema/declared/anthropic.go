package declared

import (
	"fmt"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/pydantic"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/scalar"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

func init() {
	register(map[string]pydantic.Hook{
		"AnthropicContentBlock.validate_tool_change":          rightModel(toolChange),
		"AnthropicMessage.validate_tool_change_role":          rightModel(toolChangeRole),
		"AnthropicTool.validate_input_schema":                 {After: inputSchemaType},
		"AnthropicToolChoice.validate_name_required_for_tool": rightModel(toolChoiceNamed),
		"AnthropicMessagesRequest.validate_thinking_budget":   rightModel(thinkingBudget),
		"AnthropicMessagesRequest.validate_max_tokens":        right(maxTokensPositive),
		"validate_model":  right(modelNamed),
		"validate_system": right(noToolChanges),
	})
}

// right makes a hook that refuses what the schema has made with a ValueError. "" is none.
func right(look func(out any) string) pydantic.Hook {
	return pydantic.Hook{After: func(r *node.Run, in, out any) (any, bool) {
		if msg := look(out); msg != "" {
			return r.FailValue(in, msg)
		}
		return out, true
	}}
}

// rightModel is right for a model.
func rightModel(look func(v *values.Values) string) pydantic.Hook {
	return right(func(out any) string {
		v, _ := out.(*values.Values)
		return look(v)
	})
}

func modelNamed(out any) string {
	if out == "" {
		return "Model is required"
	}
	return ""
}

func maxTokensPositive(out any) string {
	if n, _ := values.Int(out); n <= 0 {
		return "max_tokens must be positive"
	}
	return ""
}

// noToolChanges is for content that no system message has.
func noToolChanges(out any) string {
	blocks, _ := out.([]any)
	for _, b := range blocks {
		block, _ := b.(*values.Values)
		if kind := block.Get("type"); in(kind, "tool_addition", "tool_removal") {
			return fmt.Sprintf(`%s blocks are only allowed in messages with role "system"`, kind)
		}
	}
	return ""
}

func toolChangeRole(v *values.Values) string {
	if v.Get("role") == "system" {
		return ""
	}
	return noToolChanges(v.Get("content"))
}

func toolChange(v *values.Values) string {
	kind, tool := v.Get("type"), v.Values("tool")
	switch {
	case !in(kind, "tool_addition", "tool_removal"):
	case tool == nil:
		return fmt.Sprintf("tool is required for %s blocks", kind)
	case kind == "tool_removal" && tool.Get("type") != "tool_reference":
		return "tool_removal only accepts a tool_reference"
	}
	return ""
}

func inputSchemaType(_ *node.Run, _, out any) (any, bool) {
	if o, ok := out.(*pyjson.Object); ok {
		if _, given := o.Get("type"); !given {
			o.Set("type", "object")
		}
	}
	return out, true
}

func toolChoiceNamed(v *values.Values) string {
	if v.Get("type") == "tool" && !python.Truthy(v.Get("name")) {
		return "tool_choice.name is required when type is 'tool'"
	}
	return ""
}

func thinkingBudget(v *values.Values) string {
	if python.Truthy(v.Object("kv_transfer_params").Value("do_remote_decode")) {
		return ""
	}
	thinking := v.Values("thinking")
	if thinking == nil || thinking.Model() != "AnthropicThinkingConfigEnabled" {
		return ""
	}
	if scalar.BigInt(thinking.Get("budget_tokens")).Cmp(scalar.BigInt(v.Get("max_tokens"))) >= 0 {
		return "thinking.budget_tokens must be less than max_tokens"
	}
	return ""
}
