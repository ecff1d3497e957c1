package pooling

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Model is what the model is like.
type Model struct {
	*request.Model
	Task string // embed or classify
}

// Head is what an answer says of itself.
type Head struct {
	ID      string // without its prefix
	Created int64
	Model   string // name that is answered with; vLLM's errors name it too
}

// prompt is one text.
type prompt struct {
	text   string
	tokens []int
}

func badRequest(format string, args ...any) *protocol.Error {
	return &protocol.Error{Status: http.StatusBadRequest, Type: protocol.TypeBadRequest, Message: fmt.Sprintf(format, args...)}
}

func badParameter(name, message string) *protocol.Error {
	e := badRequest("%s (parameter=%s)", message, name)
	e.Param = name
	return e
}

// prompts reads `input` or `messages`.
func (m Model) prompts(v *schema.Values) ([]prompt, *protocol.Error) {
	limit, err := m.limit(v)
	if err != nil {
		return nil, err
	}
	if v.Model() != "" && strings.Contains(v.Model(), "Chat") {
		return m.conversations(v, limit)
	}
	var inputs []any
	switch in := v.Get("input").(type) {
	case []any:
		inputs = in
		if len(in) > 0 {
			if _, ids := schema.Int(in[0]); ids {
				inputs = []any{in}
			}
		}
	default:
		inputs = []any{in}
	}
	if len(inputs) == 0 {
		return nil, badRequest("You must pass at least one prompt")
	}
	var all []prompt
	for _, in := range inputs {
		p, err := m.prompt(in, v.Bool("add_special_tokens"), limit)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// prompt makes tokens of a text or takes a list of them, and cuts them.
func (m Model) prompt(in any, special bool, l limit) (prompt, *protocol.Error) {
	ids, err := m.ids(in, special, l)
	if err != nil {
		return prompt{}, err
	}
	return m.cut(ids, l)
}

// ids are the tokens of a text or of a list of tokens.
func (m Model) ids(in any, special bool, l limit) ([]int, *protocol.Error) {
	list, isList := in.([]any)
	if !isList {
		s, _ := in.(string)
		return m.encode(s, special, l)
	}
	if most := max(0, l.tokens); l.tokens >= 0 && len(list) > most { // what is cut off may be anything
		if l.right {
			list = list[:most]
		} else {
			list = list[len(list)-most:]
		}
	}
	ids := make([]int, len(list))
	for i, item := range list {
		id, _ := schema.Int(item)
		ids[i] = int(id)
	}
	if id, outside := m.Tokenizer.Outside(ids); outside {
		return nil, badRequest("Token id %d is out of vocabulary", id)
	}
	return ids, nil
}

// encode refuses a text that is too long by its mere characters.
func (m Model) encode(s string, special bool, l limit) ([]int, *protocol.Error) {
	if pyjson.HasSurrogate(s) {
		return nil, badRequest("TextEncodeInput must be Union[TextInputSequence, Tuple[InputSequence, InputSequence]]")
	}
	most := m.MaxLen * m.Tokenizer.LongestToken()
	if n := pyjson.Len(s); l.tokens < 0 && n > most {
		e := badRequest("This model's maximum context length is %d tokens. However, your prompt contains %d characters (more than %d characters, "+
			"which is the upper bound for %[1]d input tokens). Please reduce the length of the input prompt. (parameter=input_text, value=%[2]d)",
			m.MaxLen, n, most)
		e.Param = "input_text"
		return nil, e
	}
	if l.tokens < 0 {
		return m.Tokenizer.EncodeN(s, special, m.MaxLen+1), nil
	}
	return m.Tokenizer.Encode(s, special), nil
}

// limit says how a prompt is cut: to how many tokens, and whether at its end. That is where vLLM cuts for a pooling model unless it
// is told otherwise.
type limit struct {
	tokens int // -1 leaves it as it is
	right  bool
}

func (m Model) limit(v *schema.Values) (limit, *protocol.Error) {
	n, given := v.Int("truncate_prompt_tokens")
	side, _ := v.Str("truncation_side")
	switch {
	case !given:
		return limit{tokens: -1}, nil
	case n > int64(m.MaxLen):
		return limit{}, badRequest("truncate_prompt_tokens value is greater than max_model_len. Please request a smaller truncation size.")
	case n == -1:
		n = int64(m.MaxLen)
	}
	return limit{int(n), side != "left"}, nil
}

func (m Model) cut(ids []int, l limit) (prompt, *protocol.Error) {
	if l.tokens >= 0 && len(ids) > l.tokens {
		if l.right {
			ids = ids[:l.tokens]
		} else {
			ids = ids[len(ids)-l.tokens:]
		}
	}
	if len(ids) == 0 {
		return prompt{}, badRequest(protocol.EmptyPrompt)
	}
	if n := len(ids); n > m.MaxLen {
		return prompt{}, protocol.OverLength(n, m.MaxLen)
	}
	return prompt{m.Tokenizer.Decode(ids, true), ids}, nil
}
