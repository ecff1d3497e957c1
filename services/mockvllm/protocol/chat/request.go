package chat

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Request is one for a chat completion.
type Request struct {
	request.Turn

	echo             bool
	logprobs         bool
	top              int // likelihoods to tell of each token; -1 for all
	tokensAsIDs      bool
	returnTokens     bool
	returnText       bool
	includeReasoning bool
}

// Read takes a request apart that the schema has accepted.
func Read(v *schema.Values, m *request.Model) *Request {
	r := &Request{echo: v.Bool("echo"), returnTokens: v.Bool("return_token_ids"), returnText: v.Bool("return_prompt_text"),
		includeReasoning: v.Bool("include_reasoning"), tokensAsIDs: request.TokensAsIDs(v, m),
		Turn: request.Turn{Common: request.ReadCommon(v, m), Server: m, Length: request.ReadLength(v), Params: request.Sampling(v, m.Defaults),
			Talk: request.ReadConversation(v)}}
	r.Talk.Unseen = !r.includeReasoning
	r.Length.ReadMax(v, "max_tokens")
	r.Length.ReadMax(v, "max_completion_tokens")
	if v.Object("chat_template_kwargs").Value("tokenize") == true {
		r.returnText = false // the template makes tokens, and there is no text
	}
	r.likelihoods(v)
	if v.Bool("use_beam_search") {
		r.Params = r.Params.Beams()
		r.AtOnce = true // beams are told at their end
		r.Params.PromptLogprobs = nil
	}
	return r
}

// likelihoods reads logprobs, a switch, and top_logprobs.
func (r *Request) likelihoods(v *schema.Values) {
	top, _ := v.Int("top_logprobs")
	r.logprobs, r.top = v.Bool("logprobs"), int(top)
	if r.logprobs && r.Params.LogprobTokens == nil {
		r.Params.Logprobs = new(top)
	}
	if r.Params.PromptLogprobs == nil && r.echo {
		r.Params.PromptLogprobs = new(top)
	}
}

// role is the speaker of the answer: the assistant, or who spoke last and goes on.
func (r *Request) role() string {
	if r.Talk.AddGenerationPrompt {
		return r.Server.Role
	}
	return r.Talk.LastRole()
}

// echoed is what the answer repeats: the last message, when its speaker goes on.
func (r *Request) echoed() string {
	if !r.echo || r.Talk.LastRole() != r.role() {
		return ""
	}
	return r.Talk.LastText()
}

// forget lets go of what was said once it is answered: a stream may take long.
func (r *Request) forget() {
	r.Model, r.Talk.Messages, r.Talk.Documents = "", nil, nil
	r.Work.Prompt = generation.Prompt{}
}

func (r *Request) promptText() *string {
	if !r.returnText {
		return nil
	}
	return &r.Work.Prompt.Text
}

// callID makes the id of a call whose markup has none.
func callID(own string) string {
	if own != "" {
		return own
	}
	return protocol.NewCallID()
}
