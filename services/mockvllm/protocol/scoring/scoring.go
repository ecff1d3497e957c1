package scoring

import (
	"math"
	"math/big"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Request is one for scores: the model reads the query with each item and says one token, of which only the likelihoods of
// the labels count.
type Request struct {
	request.Common
	v      *schema.Values
	model  *request.Model
	labels []int64
}

// mostItems is a bound that vLLM has not: each item becomes a prompt with the whole query in it.
const mostItems = 16384

// Read takes a request apart that the schema has accepted.
func Read(v *schema.Values, m *request.Model) *Request {
	r := &Request{Common: request.ReadCommon(v, m), v: v, model: m}
	items := len(request.List(v, "items"))
	r.Items = &items
	for _, id := range request.List(v, "label_token_ids") {
		n, _ := schema.Int(id)
		r.labels = append(r.labels, n)
	}
	return r
}

// Works makes a prompt of each item.
func (r *Request) Works() ([]*generation.Work, *protocol.Error) {
	for i, id := range r.labels {
		if id < 0 || id >= int64(r.model.Tokenizer.Size()) {
			return nil, protocol.BadRequest("label_token_id %s is out of vocabulary range [0, %d). Please provide valid token IDs.",
				pyjson.Str(request.List(r.v, "label_token_ids")[i]), r.model.Tokenizer.Size())
		}
	}
	items := request.List(r.v, "items")
	switch {
	case len(r.labels) == 0:
		return nil, protocol.BadRequest("label_token_ids must contain at least one token ID.")
	case len(items) == 0:
		return nil, protocol.BadRequest("items must contain at least one item.")
	case len(items) > mostItems:
		return nil, protocol.BadRequest("items must contain at most %d items, got %d.", mostItems, len(items))
	}
	params := sampling.Default()
	n := int64(len(r.labels))
	params.MaxTokens, params.Logprobs, params.LogprobTokens = 1, &n, r.labels
	works := make([]*generation.Work, len(items))
	for i, item := range items {
		prompt, err := r.prompt(item)
		if err != nil {
			return nil, err
		}
		works[i] = &generation.Work{Prompt: prompt, Params: &params}
	}
	return works, nil
}

// prompt joins the query and an item, as many tokens as leave room for the answer.
func (r *Request) prompt(item any) (generation.Prompt, *protocol.Error) {
	query, err := r.tokens(r.v.Get("query"), r.v.Bool("add_special_tokens"))
	if err != nil {
		return generation.Prompt{}, err
	}
	tokens, err := r.tokens(item, false)
	if err != nil {
		return generation.Prompt{}, err
	}
	if r.v.Bool("item_first") {
		query, tokens = tokens, query
	}
	all := append(append(make([]int, 0, len(query)+len(tokens)), query...), tokens...)
	if len(all) == 0 {
		return generation.Prompt{}, protocol.BadRequest(protocol.EmptyPrompt)
	}
	return generation.Prompt{Tokens: all[:min(len(all), r.model.MaxLen-1)]}, nil
}

// tokens makes tokens of a text, or takes those that were given.
func (r *Request) tokens(v any, special bool) ([]int, *protocol.Error) {
	if text, ok := v.(string); ok {
		if pyjson.HasSurrogate(text) {
			return nil, request.BadText()
		}
		return r.model.Tokenizer.EncodeN(text, special, r.model.MaxLen), nil
	}
	list, _ := v.([]any)
	ids := make([]int, len(list))
	for i, id := range list {
		n, _ := schema.Int(id)
		ids[i] = int(n)
	}
	return ids, nil
}

// AppendBody writes the whole answer: a score for each item.
func (r *Request) AppendBody(b []byte, h protocol.Head, outs []*generation.Output, u protocol.Usage, _ *protocol.Timing) []byte {
	b = pyjson.AppendString(append(b, `{"id":`...), h.ID)
	b = strconv.AppendInt(append(b, `,"object":"list","created":`...), h.Created, 10)
	b = pyjson.AppendString(append(b, `,"model":`...), h.Model)
	b = append(b, `,"data":[`...)
	for i, o := range outs {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"index":`...), int64(i), 10)
		b = append(append(b, `,"object":"score","score":`...), pyjson.Float(r.score(o))...)
		b = append(b, '}')
	}
	u.Details = nil
	return append(u.Append(append(b, `],"usage":`...)), '}')
}

// score is how likely the first label is, among all tokens or among the labels alone.
func (r *Request) score(o *generation.Output) float64 {
	if len(o.Logprobs) == 0 { // broken off
		return 0
	}
	known, most := map[int64]float64{}, math.Inf(-1)
	for _, l := range o.Logprobs[0] {
		known[int64(l.Token)] = l.Logprob
	}
	if !r.v.Bool("apply_softmax") {
		return exp(known[r.labels[0]])
	}
	for _, id := range r.labels {
		most = max(most, known[id])
	}
	sum, seen := 0.0, map[int64]bool{}
	for _, id := range r.labels {
		if !seen[id] {
			seen[id] = true
			sum += exp(known[id] - most)
		}
	}
	return exp(known[r.labels[0]]-most) / sum
}

// Frames is never asked for: there are no streams of scores.
func (r *Request) Frames(protocol.Head, func(frame []byte)) request.Frames { return nil }

// exp is rounded correctly. The C library's, which Python calls, nearly always is, and Go's often is not, while the digits are told to
// the last. x is no more than 0.
func exp(x float64) float64 {
	const bits, halvings, least = 256, 10, -745
	if x < least {
		return 0
	}
	small := new(big.Float).SetPrec(bits).SetMantExp(big.NewFloat(x), -halvings)
	sum, term := big.NewFloat(1).SetPrec(bits), big.NewFloat(1).SetPrec(bits)
	for n := 1.0; term.Sign() != 0 && term.MantExp(nil) > -bits; n++ {
		term.Mul(term, small).Quo(term, big.NewFloat(n))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	y, _ := sum.Float64()
	return y
}
