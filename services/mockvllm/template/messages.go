package template

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Message brings a message of a request into the form that templates expect, as vLLM does: its content as one text or as
// a list of parts, the arguments of tool calls as objects, and no field that templates do not know.
func Message(m *pyjson.Object, format Format) *pyjson.Object {
	role := m.Value("role")
	out := pyjson.CopyObject([]pyjson.Member{{Key: "role", Value: role}, {Key: "content", Value: content(m, format)}})
	switch role {
	case "assistant":
		if calls, ok := m.Get("tool_calls"); ok {
			setCalls(out, calls)
		}
		if reasoning := m.Value("reasoning"); reasoning != nil {
			out.Set("reasoning", reasoning)
			out.Set("reasoning_content", reasoning)
		}
	case "tool":
		if id, ok := m.Get("tool_call_id"); ok {
			out.Set("tool_call_id", id)
		}
		if parts, ok := out.Value("content").([]any); ok && !slices.ContainsFunc(parts, format.refers) {
			out.Set("content", joined(parts)) // most templates read text only from tools
		}
	}
	for _, key := range []string{"name", "task"} {
		if s, ok := m.Value(key).(string); ok {
			out.Set(key, s)
		}
	}
	if role == "developer" {
		out.Set("tools", m.Value("tools"))
	}
	return out
}

// billingHeader begins a line that Claude Code puts before a system text. It changes with each request, so vLLM drops it.
const billingHeader = "x-anthropic-billing-header"

// content is the content of m in the given format. Parts that are no text leave no trace: the mock reads text alone.
func content(m *pyjson.Object, f Format) any {
	c, role := m.Value("content"), m.Value("role")
	parts := []any{}
	list, _ := c.([]any)
	if s, isText := c.(string); isText {
		if f == String && (role != "system" || !strings.HasPrefix(s, billingHeader)) {
			return c
		}
		list = []any{s}
	}
	for _, p := range list {
		text, isText := partText(p)
		if role == "system" && strings.HasPrefix(text, billingHeader) {
			_, text, _ = strings.Cut(text, "\n")
			isText = text != ""
		}
		switch {
		case isText && f.refers(p):
			parts = append(parts, pyjson.NewObject(pyjson.Member{Key: "type", Value: reference}, pyjson.Member{Key: "name", Value: text}))
		case isText:
			parts = append(parts, textPart(text))
		}
	}
	if f == OpenAI {
		return parts
	}
	return joined(parts)
}

// reference is the type of a part that names a tool. It is told to templates that know of parts, and is its name to others.
const reference = "tool_reference"

func (f Format) refers(part any) bool {
	o, _ := part.(*pyjson.Object)
	return f == OpenAI && o.Value("type") == reference
}

func textPart(s string) any {
	return pyjson.NewObject(pyjson.Member{Key: "type", Value: "text"}, pyjson.Member{Key: "text", Value: s})
}

// partText is the text of a part, which is a string or an object that names its field.
func partText(p any) (string, bool) {
	if s, ok := p.(string); ok {
		return s, true
	}
	o, _ := p.(*pyjson.Object)
	if o.Value("type") == reference {
		s, ok := o.Value("name").(string)
		return s, ok
	}
	for _, key := range []string{"text", "refusal", "thinking"} {
		if v := o.Value(key); v != nil {
			s, ok := v.(string)
			return s, ok
		}
	}
	return "", false
}

func joined(parts []any) string {
	texts := make([]string, 0, len(parts))
	for _, p := range parts {
		if s, ok := partText(p); ok {
			texts = append(texts, s)
		}
	}
	return strings.Join(texts, "\n")
}

// setCalls copies tool calls, without an empty list of them, and with their arguments read.
func setCalls(out *pyjson.Object, v any) {
	calls, ok := v.([]any)
	if !ok || len(calls) == 0 {
		return
	}
	read := make([]any, len(calls))
	for i, c := range calls {
		read[i] = c
		call, _ := c.(*pyjson.Object)
		if fn, ok := call.Value("function").(*pyjson.Object); ok {
			fn, call = fn.Clone(), call.Clone()
			fn.Set("arguments", arguments(fn.Value("arguments")))
			call.Set("function", fn)
			read[i] = call
		}
	}
	out.Set("tool_calls", read)
}

func arguments(v any) any {
	switch v := v.(type) {
	case *pyjson.Object:
		return v
	case string:
		if parsed, err := pyjson.DecodeString(v); err == nil {
			if o, ok := parsed.(*pyjson.Object); ok {
				return o
			}
		}
	}
	return &pyjson.Object{}
}

// developerToSystem turns developer messages into system messages, for templates that do not know them, and joins all system
// messages at the front when one is not there.
func developerToSystem(messages []*pyjson.Object) []*pyjson.Object {
	found := false
	for _, m := range messages {
		found = found || m.Value("role") == "developer"
	}
	if !found {
		return messages
	}
	var rest, all []*pyjson.Object
	var texts []string
	move, systems := false, 0
	for i, m := range messages {
		role := m.Value("role")
		if role != "system" && role != "developer" {
			rest, all = append(rest, m), append(all, m)
			continue
		}
		out := &pyjson.Object{}
		for k, v := range m.All() {
			if role == "developer" && k == "role" {
				v = "system"
			}
			if role != "developer" || k != "tools" {
				out.Set(k, v)
			}
		}
		all = append(all, out)
		move = move || i > 0 || systems > 0
		c := m.Value("content")
		text, isText := c.(string)
		if parts, ok := c.([]any); ok && !isText {
			text = joined(parts)
		}
		if text != "" {
			texts = append(texts, text)
			systems++
		}
	}
	if !move {
		return all
	}
	merged := pyjson.NewObject(pyjson.Member{Key: "role", Value: "system"}, pyjson.Member{Key: "content", Value: strings.Join(texts, "\n\n")})
	return append([]*pyjson.Object{merged}, rest...)
}
