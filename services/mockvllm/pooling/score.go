package pooling

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/refmodel"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Score answers /score: how alike the texts of pairs are.
func (m Model) Score(h Head, v *schema.Values, _ *pyjson.Object) (*Answer, *protocol.Error) {
	sides := map[string][2]string{"ScoreQueriesDocumentsRequest": {"queries", "documents"}, "ScoreQueriesItemsRequest": {"queries", "items"},
		"ScoreDataRequest": {"data_1", "data_2"}, "ScoreTextRequest": {"text_1", "text_2"}}[v.Model()]
	scores, texts, err := m.scores(v, v.Get(sides[0]), v.Get(sides[1]))
	if err != nil {
		return nil, err
	}
	b := envelope(h, "score-")
	for i, s := range scores {
		b = fmt.Appendf(b, `%s{"index":%d,"object":"score","score":%s}`, comma(i), i, pyjson.Float(float64(s)))
	}
	return &Answer{JSON: appendUsage(append(b, ']'), tokens(texts)), Prompts: read(texts)}, nil
}

// Rerank answers /rerank: the documents that are most like the query come first.
func (m Model) Rerank(h Head, v *schema.Values, _ *pyjson.Object) (*Answer, *protocol.Error) {
	scores, texts, err := m.scores(v, v.Get("query"), v.Get("documents"))
	if err != nil {
		return nil, err
	}
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	if n, _ := v.Int("top_n"); n > 0 && int(n) < len(order) {
		order = order[:n]
	}
	documents := listOf(v.Get("documents"))
	b := pyjson.AppendString([]byte(`{"id":`), "score-"+h.ID)
	b = pyjson.AppendString(append(b, `,"model":`...), h.Model)
	b = fmt.Appendf(b, `,"usage":{"prompt_tokens":%d,"total_tokens":%[1]d},"results":[`, tokens(texts))
	for i, at := range order {
		text, _ := documents[at].(string)
		b = fmt.Appendf(b, `%s{"index":%d,"document":{"text":`, comma(i), at)
		b = fmt.Appendf(pyjson.AppendString(b, text), `,"multi_modal":null},"relevance_score":%s}`, pyjson.Float(float64(scores[at])))
	}
	return &Answer{JSON: append(b, "]}"...), Prompts: read(texts)}, nil
}

// scores compares one text with many, or two lists pair by pair. It returns each text once.
func (m Model) scores(v *schema.Values, left, right any) (scores []float32, texts []prompt, err *protocol.Error) {
	ls, rs := listOf(left), listOf(right)
	if slices.ContainsFunc(slices.Concat(ls, rs), func(item any) bool { _, isText := item.(string); return !isText }) {
		return nil, nil, badRequest("MultiModalParam is not supported for LlamaForCausalLM")
	}
	switch {
	case len(ls) > 1 && len(ls) != len(rs):
		return nil, nil, badRequest("Input lengths must be either 1:1, 1:N or N:N")
	case len(ls) == 0:
		return nil, nil, badRequest("At least one text element must be given")
	case len(rs) == 0:
		return nil, nil, badRequest("At least one text_pair element must be given")
	}
	for _, name := range []string{"max_tokens_per_query", "max_tokens_per_doc"} {
		switch n, _ := v.Int(name); {
		case n < 0:
			return nil, nil, badRequest("%s must be a non-negative integer", name)
		case n >= int64(m.MaxLen):
			return nil, nil, badRequest("%s (%s) must be less than max_model_len (%d).", name, pyjson.Str(v.Get(name)), m.MaxLen)
		}
	}
	cut, err := m.limit(v)
	if err != nil {
		return nil, nil, err
	}
	ofQuery, _ := v.Int("max_tokens_per_query")
	ofDoc, _ := v.Int("max_tokens_per_doc")
	lp, err := m.texts(ls, int(ofQuery), cut)
	if err != nil {
		return nil, nil, err
	}
	rp, err := m.texts(rs, int(ofDoc), cut)
	if err != nil {
		return nil, nil, err
	}
	var query []float32
	for i, r := range rp {
		if i < len(lp) {
			query = refmodel.Normal(m.vector(lp[i]))
		}
		scores = append(scores, refmodel.Cosine(query, refmodel.Normal(m.vector(r))))
	}
	return scores, slices.Concat(lp, rp), nil
}

// listOf is a list, or a list of the one thing that stands there.
func listOf(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// texts makes prompts of texts, of each no more than its first most tokens; 0 is no limit.
func (m Model) texts(list []any, most int, l limit) ([]prompt, *protocol.Error) {
	var all []prompt
	for _, item := range list {
		s, _ := item.(string)
		p, err := m.prompt(m.begin(s, most), true, l)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// begin is the beginning of a text that is no longer than so many tokens, not counting those that a tokenizer puts around it. It is
// cut between characters.
func (m Model) begin(text string, most int) string {
	if most == 0 || pyjson.HasSurrogate(text) {
		return text
	}
	for ids := m.Tokenizer.Encode(text, false); len(ids) > most; ids = m.Tokenizer.Encode(text, false) {
		end := 0
		for _, id := range ids[:most] {
			end += len(m.Tokenizer.Bytes(id))
		}
		for end = min(end, len(text)-1); !utf8.RuneStart(text[end]); end-- {
		}
		text = text[:end]
	}
	return text
}
