package reasoning

import (
	"fmt"
	"slices"
	"strings"
)

// Delta is what a piece of text brings. Both may be there, never neither.
type Delta struct{ Reasoning, Content string }

// Parser is one way to write thoughts.
type Parser struct {
	// Start and End are what a model writes around its thoughts.
	Start, End string
	// Begun tells that the chat template of the model begins its thoughts, so that it does not write Start itself.
	Begun bool

	split  func(text string) (reasoning, content *string)
	stream func() Stream
	count  func(tokens []string) int
}

// Stream reads an answer piece by piece.
type Stream interface {
	// Feed takes the next piece: its text, and the text of each of its tokens. It returns false when there is nothing to send.
	Feed(text string, tokens []string) (Delta, bool)
	// Finish returns what was held back until the text ended.
	Finish() (Delta, bool)
	// Ended tells whether the thinking is over.
	Ended() bool
}

// Lookup finds a parser by vLLM's name. Names that vLLM knows and this package does not are in Names only. thinking is what the
// request's chat_template_kwargs say of thinking or enable_thinking; nil when they say nothing.
func Lookup(name string, thinking *bool) (Parser, bool) {
	p, ok := parsers[name]
	if !ok {
		return Parser{}, false
	}
	on := !p.offByDefault
	if thinking != nil {
		on = *thinking
	}
	if p.canBeOff && !on {
		return none, true
	}
	p.Parser.Begun = p.begun
	return p.Parser, true
}

// Split takes a whole text apart. What is not there is nil.
func (p Parser) Split(text string) (reasoning, content *string) { return p.split(text) }

// Stream begins to read an answer to a prompt. When thinking has ended in the prompt, all of it is content.
func (p Parser) Stream(prompt string) Stream {
	if p.Start == "" || strings.LastIndex(prompt, p.End) > strings.LastIndex(prompt, p.Start) {
		return &plain{}
	}
	return p.stream()
}

// Count is the number of reasoning_tokens among the tokens of an answer.
func (p Parser) Count(tokens []string) int { return p.count(tokens) }

// CheckName returns nil for a name that vLLM takes, else the error with which it ends its start.
func CheckName(name string) error {
	if slices.Contains(Names, name) {
		return nil
	}
	return fmt.Errorf("KeyError: 'invalid reasoning parser: %s (chose from { %s })'", name, strings.Join(Names, ","))
}

// Names are all names that vLLM 0.32 takes for --reasoning-parser, in order.
var Names = []string{
	"cohere_command3", "cohere_command4", "deepseek_r1", "deepseek_v3", "deepseek_v4", "deepseek_v41", "ernie45", "gemma4", "glm45", "glm47",
	"granite", "granite_thinking_parser", "hf", "holo2", "hunyuan_a13b", "hy_v3", "hy_v4", "inkling", "k2_horizon", "kimi_k2", "kimi_k3",
	"ling3", "mimo", "minicpmv", "minimax_m2", "minimax_m2_append_think", "minimax_m3", "mistral", "muse_glimmer", "nemotron_v3", "olmo3",
	"openai_gptoss", "plamo3", "poolside_v1", "qwen3", "seed_oss", "step3", "step3p5",
}

// entry is a parser with what chat_template_kwargs can do to it, and what the chat template of its model does.
type entry struct {
	Parser
	canBeOff, offByDefault bool
	begun                  bool
}

var parsers = map[string]entry{
	"deepseek_r1": {Parser: deepseekR1, begun: true},
	"deepseek_v3": {Parser: deepseekR1, canBeOff: true, offByDefault: true},
	"glm45":       {Parser: glm, canBeOff: true},
	"glm47":       {Parser: glm, canBeOff: true},
	"granite":     {Parser: granite},
	"holo2":       {Parser: deepseekR1, canBeOff: true},
	"kimi_k2":     {Parser: kimiK2, canBeOff: true},
	"ling3":       {Parser: glm, canBeOff: true},
	"mimo":        {Parser: qwen3, canBeOff: true},
	"minimax_m2":  {Parser: minimaxM2},
	"mistral":     {Parser: mistral},
	"poolside_v1": {Parser: deepseekR1, canBeOff: true, offByDefault: true},
	"qwen3":       {Parser: qwen3, canBeOff: true},
	"seed_oss":    {Parser: seedOSS, canBeOff: true},
	"step3":       {Parser: step3},
	"step3p5":     {Parser: step3p5},
}

// none is the parser of a model that does not think.
var none = Parser{
	split:  func(text string) (reasoning, content *string) { return nil, &text },
	stream: func() Stream { return &plain{} },
	count:  func([]string) int { return 0 },
}

// plain passes content on.
type plain struct{}

func (*plain) Feed(text string, _ []string) (Delta, bool) { return Delta{Content: text}, text != "" }
func (*plain) Finish() (Delta, bool)                      { return Delta{}, false }
func (*plain) Ended() bool                                { return true }

func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
