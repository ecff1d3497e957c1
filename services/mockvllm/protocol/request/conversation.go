package request

import (
	"errors"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request/content"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template"
)

// Conversation is what a prompt is made of by a chat template.
type Conversation struct {
	Messages             []any // of *pyjson.Object
	Tools                Tools
	AddGenerationPrompt  bool    // open the assistant's turn after the last message
	ContinueFinalMessage bool    // leave the last message open
	Template             *string // the request's own, nil for none
	Kwargs               *pyjson.Object
	Documents            []any
	Effort               string // reasoning_effort
	Media                Media
	Fetches              bool // as content.Reader's
	Unseen               bool // thoughts are not shown, and a grammar holds from the first token
}

// ReadConversation takes the fields of a chat request.
func ReadConversation(v *schema.Values) Conversation {
	return Conversation{Messages: List(v, "messages"), Tools: readTools(v), AddGenerationPrompt: v.Bool("add_generation_prompt"),
		ContinueFinalMessage: v.Bool("continue_final_message"), Template: optStr(v, "chat_template"), Documents: List(v, "documents"),
		Effort: Str(v, "reasoning_effort"), Kwargs: v.Object("chat_template_kwargs"), Media: ReadMedia(v)}
}

// Prompt renders the conversation and makes tokens of it.
func (c *Conversation) Prompt(l Length, m *Model) (p generation.Prompt, err *protocol.Error) {
	if _, err = m.Templates.choose(c); err != nil {
		return p, err
	}
	if err = c.Media.Check(); err != nil {
		return p, err
	}
	if err = l.Check(m); err != nil {
		return p, err
	}
	text, err := c.Render(m)
	if err != nil {
		return p, err
	}
	p.Text, p.Asked = text, c.asked()
	if c.ContinueFinalMessage && c.LastRole() == "assistant" {
		p.Partial = c.LastText()
	}
	p.Tokens, err = l.Tokens(text, m)
	return p, err
}

// Render is the text that the model reads, after the checks that come first in vLLM.
func (c *Conversation) Render(m *Model) (string, *protocol.Error) {
	t, err := m.Templates.choose(c)
	if err == nil {
		err = c.Media.Check()
	}
	switch {
	case err != nil:
		return "", err
	case len(c.Messages) == 0:
		return "", ofTemplate("Cannot apply chat template to an empty conversation. Provide at least one message.")
	}
	holds := content.Reader{Model: m.Name, Format: t.Format(), Fetches: c.Fetches}
	if err := holds.Read(c.Messages); err != nil {
		return "", err
	}
	if c.ContinueFinalMessage && c.AddGenerationPrompt { // which is on by default; the schema refuses to have both said
		return "", protocol.BadRequest("continue_final_message and add_generation_prompt are not compatible. Use continue_final_message when you " +
			"want the model to continue the final message, and add_generation_prompt when you want to add a header that will prompt it to start " +
			"a new assistant message instead.")
	}
	format, kwargs := t.Format(), c.variables(m.Templates.Kwargs)
	if !c.ownTemplate() {
		var failed error
		if t, failed = t.Brought(kwargs); failed != nil {
			err := ofTemplate(failed.Error())
			var expected *template.Error
			err.Uncaught = !errors.As(failed, &expected)
			return "", err
		}
	}
	text, failed := t.Render(template.Input{Messages: c.formed(format), Tools: c.Tools.Shown, AddGenerationPrompt: c.AddGenerationPrompt,
		ContinueFinalMessage: c.ContinueFinalMessage, Documents: c.Documents, Kwargs: kwargs, BOSToken: m.Tokenizer.Text(m.Tokenizer.BOS()),
		EOSToken: m.Tokenizer.Text(m.Tokenizer.EOS())})
	if failed != nil {
		return "", ofTemplate(failed.Error())
	}
	return text, nil
}

func ofTemplate(message string) *protocol.Error {
	err := protocol.BadRequest("%s", message)
	err.Template = true
	return err
}

// formed are the messages as a template wants them.
func (c *Conversation) formed(f template.Format) []*pyjson.Object {
	all := make([]*pyjson.Object, 0, len(c.Messages))
	for _, m := range c.Messages {
		if o, ok := m.(*pyjson.Object); ok {
			all = append(all, template.Message(o, f))
		}
	}
	return all
}

// variables are what a template is told besides the messages: the server's, those of the request, and how much it is to think.
func (c *Conversation) variables(server *pyjson.Object) *pyjson.Object {
	if c.Effort == "" && server.Len() == 0 {
		return c.Kwargs
	}
	all := server.Clone()
	for key, value := range c.Kwargs.All() {
		all.Set(key, value)
	}
	if _, said := all.Get("enable_thinking"); c.Effort != "" {
		all.Set("reasoning_effort", c.Effort)
		if !said {
			all.Set("enable_thinking", c.Effort != "none")
		}
	}
	return all
}

// at is message i, nil where that is no object.
func (c *Conversation) at(i int) *pyjson.Object {
	o, _ := c.Messages[i].(*pyjson.Object)
	return o
}

// last is the last message, nil where there is none.
func (c *Conversation) last() *pyjson.Object {
	if len(c.Messages) == 0 {
		return nil
	}
	return c.at(len(c.Messages) - 1)
}

// LastRole is who spoke last.
func (c *Conversation) LastRole() string {
	role, _ := c.last().Value("role").(string)
	return role
}

// LastText is what was said last.
func (c *Conversation) LastText() string { return content.Text(c.last().Value("content")) }

// asked is the last thing a user said, or the last of all when no user spoke.
func (c *Conversation) asked() string {
	for i := len(c.Messages) - 1; i >= 0; i-- {
		if m := c.at(i); m.Value("role") == "user" {
			return content.Text(m.Value("content"))
		}
	}
	return c.LastText()
}
