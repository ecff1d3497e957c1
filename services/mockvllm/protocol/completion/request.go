package completion

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Request is one for text completions.
type Request struct {
	request.Common
	model  *request.Model
	v      *schema.Values
	length request.Length
	params sampling.Params // but for the budget, which differs from prompt to prompt
	works  []*generation.Work

	echo         bool
	nothing      bool // echo, and no answer
	logprobs     bool
	top          int // likelihoods of each token besides its own; -1 for all
	tokensAsIDs  bool
	returnTokens bool
}

// defaultMax is how long an answer is when the request does not say.
const defaultMax = 16

// Read takes a request apart that the schema has accepted.
func Read(v *schema.Values, m *request.Model) *Request {
	r := &Request{Common: request.ReadCommon(v, m), model: m, v: v, echo: v.Bool("echo"), returnTokens: v.Bool("return_token_ids"),
		tokensAsIDs: request.TokensAsIDs(v, m), length: request.ReadLength(v), params: request.Sampling(v, m.Defaults)}
	most := int64(defaultMax)
	r.length.Max, r.length.MaxName = &most, "max_tokens"
	r.length.ReadMax(v, "max_tokens")
	r.nothing = r.echo && *r.length.Max == 0
	r.likelihoods()
	if v.Bool("use_beam_search") {
		r.params = r.params.Beams()
	}
	return r
}

// likelihoods reads logprobs: a number, which is told for each token of the answer and of an echoed prompt.
func (r *Request) likelihoods() {
	n, given := r.v.Int("logprobs")
	if !given {
		return
	}
	r.logprobs, r.top = true, int(n)
	if r.params.LogprobTokens == nil {
		r.params.Logprobs = &n
	}
	if r.params.PromptLogprobs == nil && r.echo {
		r.params.PromptLogprobs = &n
	}
}

// Works makes the prompts and checks them, those of a list in its order.
func (r *Request) Works() ([]*generation.Work, *protocol.Error) {
	if r.Stream && r.v.Bool("use_beam_search") {
		return nil, protocol.BadRequest("Streaming is not currently supported with beam search")
	}
	if err := r.suffix(); err != nil {
		return nil, err
	}
	if err := r.embeds(); err != nil {
		return nil, err
	}
	if err := request.ReadMedia(r.v).Check(); err != nil {
		return nil, err
	}
	if err := r.length.Check(r.model); err != nil {
		return nil, err
	}
	if _, one := r.v.Str("prompt_embeds"); one || len(request.List(r.v, "prompt_embeds")) > 0 {
		return nil, protocol.BadValue("prompt_embeds", "", "You must set `--enable-prompt-embeds` to input `prompt_embeds`.")
	}
	prompts, err := r.prompts()
	if err != nil {
		return nil, err
	}
	for _, prompt := range prompts {
		work, err := r.work(prompt)
		if err != nil {
			return nil, err
		}
		r.works = append(r.works, work)
	}
	if !slices.ContainsFunc(r.works, func(w *generation.Work) bool { return !w.Params.Nothing() }) {
		r.N, r.params.N = 1, 1 // the one beam that there is before the first step
	}
	return r.works, nil
}

// suffix refuses a text that is to follow the answer, for which a model has to be made.
func (r *Request) suffix() *protocol.Error {
	if r.v.Get("suffix") == nil {
		return nil
	}
	var err *protocol.Error
	switch {
	case r.echo:
		err = protocol.BadRequest("Echo is unsupported with suffix.")
	case r.v.Get("prompt_embeds") != nil:
		err = protocol.BadRequest("suffix is not supported with prompt_embeds")
	case r.length.Truncate != nil:
		err = protocol.BadRequest("suffix is not supported with truncate_prompt_tokens")
	case r.none():
		return nil // that is refused later
	case !r.texts():
		err = protocol.BadRequest("suffix requires text prompt input for FIM completion rendering")
	default:
		err = protocol.BadRequest("suffix is only supported for models with FIM completion rendering")
	}
	err.Param = "suffix"
	return err
}

// texts tells whether the prompts are no tokens.
func (r *Request) texts() bool {
	_, one := r.v.Str("prompt")
	list := request.List(r.v, "prompt")
	return one || !slices.ContainsFunc(list, func(p any) bool { _, text := p.(string); return !text })
}

// none tells whether the list of prompts is empty.
func (r *Request) none() bool {
	_, one := r.v.Str("prompt")
	return !one && len(request.List(r.v, "prompt")) == 0
}

// embeds refuses what no prompt of vectors goes with, not even an empty list of such.
func (r *Request) embeds() *protocol.Error {
	switch {
	case r.v.Get("prompt_embeds") == nil:
		return nil
	case r.echo:
		return protocol.BadRequest("Echo is unsupported with prompt embeds.")
	case r.params.PromptLogprobs != nil:
		return protocol.BadRequest("prompt_logprobs is not compatible with prompt embeds.")
	}
	return nil
}

// prompts reads a text, a list of texts, the tokens of one prompt, or a list of such.
func (r *Request) prompts() (all []generation.Prompt, err *protocol.Error) {
	if text, ok := r.v.Get("prompt").(string); ok {
		return r.add(nil, text)
	}
	list := request.List(r.v, "prompt")
	if len(list) == 0 {
		return nil, protocol.BadRequest("You must pass at least one prompt")
	}
	if _, tokens := schema.Int(list[0]); tokens {
		return r.add(nil, list)
	}
	for _, one := range list {
		if all, err = r.add(all, one); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// add makes a prompt of a text or of a list of tokens.
func (r *Request) add(all []generation.Prompt, one any) ([]generation.Prompt, *protocol.Error) {
	var p generation.Prompt
	var err *protocol.Error
	switch one := one.(type) {
	case string:
		p.Tokens, err = r.length.Tokens(one, r.model)
		p.Text, p.Asked = one, one
	case []any:
		p.Tokens, p.Beyond = request.Tokens(one)
		if p.Tokens, err = r.length.Cut(p.Tokens, r.model); err == nil {
			p.Asked = r.model.Tokenizer.Decode(p.Tokens, true)
			if r.echo && !r.returnTokens {
				p.Text = r.model.Tokenizer.Decode(p.Tokens, false)
			}
		}
	}
	return append(all, p), err
}

func (r *Request) work(prompt generation.Prompt) (*generation.Work, *protocol.Error) {
	params := r.params
	params.MaxTokens = r.length.Budget(&prompt, r.model)
	if r.nothing {
		params.MaxTokens = 1
	}
	if params.Constraint != nil {
		prompt.ThinkEnd = r.model.ThinkEnd(prompt.Tokens)
	}
	late := request.TooLong(len(prompt.Tokens), r.model)
	if r.echo && !r.returnTokens && prompt.Text == "" { // an assertion of vLLM's fails: it takes the empty text for none
		late = cmp.Or(late, &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal})
	}
	return &generation.Work{Prompt: prompt, Params: &params, Late: late}, params.Check()
}
