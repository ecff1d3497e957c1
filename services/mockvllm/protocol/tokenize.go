package protocol

import (
	"math"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// Tokenize asks for the tokens of a prompt or of a conversation.
type Tokenize struct {
	Model  string
	tokens []int
	strs   bool
}

// DecodeTokenize reads a request of /tokenize.
func DecodeTokenize(contentType string, body []byte) (*Tokenize, *Error) {
	o, err := decodeBody(contentType, body)
	if err != nil {
		return nil, err
	}
	f := &fields{from: o, loc: "body"}
	if _, chat := o["messages"]; chat {
		return tokenizeChat(f)
	}
	t := &Tokenize{Model: f.str("model")}
	s, isText := o["prompt"].(string)
	if !isText {
		if !f.missing("prompt") {
			f.fault("prompt", "string_type", "Input should be a valid string", o["prompt"], "")
		}
		f.missing("messages") // vLLM tries the shape of a conversation as well
	}
	special := f.boolean("add_special_tokens", true)
	t.strs = f.boolean("return_token_strs", false)
	if err := f.finish(); err != nil {
		return nil, err
	}
	if special {
		s = "<|begin|>" + s
	}
	t.tokens = text.Encode(s)
	return t, badText(s)
}

func tokenizeChat(f *fields) (*Tokenize, *Error) {
	var c Chat
	t := &Tokenize{Model: f.str("model")}
	c.messages(f)
	c.Template.AddGenerationPrompt = f.boolean("add_generation_prompt", true)
	c.Template.ContinueFinalMessage = f.boolean("continue_final_message", false)
	t.strs = f.boolean("return_token_strs", false)
	c.tools(f)
	if err := f.finish(); err != nil {
		return nil, err
	}
	prompt := c.Template.Render(c.Messages)
	t.tokens = text.Encode(prompt)
	return t, badText(prompt)
}

// Body is the answer.
func (t *Tokenize) Body(maxLen int) []byte {
	body := struct {
		Count       int        `json:"count"`
		MaxModelLen int        `json:"max_model_len"`
		Tokens      []int      `json:"tokens"`
		TokenStrs   []jsonText `json:"token_strs"`
	}{Count: len(t.tokens), MaxModelLen: maxLen, Tokens: t.tokens}
	if t.strs {
		body.TokenStrs = []jsonText{}
		for _, id := range t.tokens {
			body.TokenStrs = append(body.TokenStrs, jsonText(text.Piece(id)))
		}
	}
	return Marshal(body)
}

// Detokenize asks for the text of tokens.
type Detokenize struct {
	Model  string
	tokens []int
}

// DecodeDetokenize reads a request of /detokenize.
func DecodeDetokenize(contentType string, body []byte) (*Detokenize, *Error) {
	o, err := decodeBody(contentType, body)
	if err != nil {
		return nil, err
	}
	f := &fields{from: o, loc: "body"}
	d := &Detokenize{Model: f.str("model")}
	f.missing("tokens")
	list := f.list("tokens")
	for i, v := range list {
		f.inside("tokens", object{itoa(i): v}, func(one *fields) {
			id, _ := one.between(itoa(i), 0, math.MaxInt64)
			d.tokens = append(d.tokens, int(id))
		})
	}
	return d, f.finish()
}

// Body is the answer.
func (d *Detokenize) Body() []byte {
	return append(appendString([]byte(`{"prompt":`), text.Decode(d.tokens)), '}')
}
