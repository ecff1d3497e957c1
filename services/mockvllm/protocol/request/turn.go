package request

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
)

// Turn is the next turn of a conversation: what chat completions, messages and responses have the model do.
type Turn struct {
	Common
	Server *Model
	Length Length
	Params sampling.Params
	Talk   Conversation
	Work   *generation.Work // once Works made it
}

// Works makes the prompt and checks it, in vLLM's order.
func (t *Turn) Works() ([]*generation.Work, *protocol.Error) {
	if err := t.Talk.Tools.Callable(t.Server.Tools); err != nil {
		return nil, err
	}
	prompt, err := t.Talk.Prompt(t.Length, t.Server)
	if err != nil {
		return nil, err
	}
	if err := t.Talk.Tools.ambiguous(); err != nil {
		return nil, err
	}
	t.Work = &generation.Work{Prompt: prompt, Params: &t.Params}
	t.Params.MaxTokens = t.Length.Budget(&t.Work.Prompt, t.Server)
	if err := t.Params.Check(); err != nil {
		return nil, err
	}
	if err := t.Talk.Reply(&t.Work.Prompt, &t.Params, t.Server); err != nil {
		return nil, err
	}
	if t.Params.Nothing() { // the one beam that there is before the first step
		t.N = 1
	}
	if !t.Params.Beam {
		t.Work.Late = t.Talk.Tools.unsayable()
	}
	return []*generation.Work{t.Work}, nil
}

// Parses tells whether the server takes answers apart.
func (t *Turn) Parses() bool { return t.Server.Reasoning != "" || t.Server.Tools != "" }
