package request

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template"
)

// Templates are the server's chat template, and whether requests may bring their own.
type Templates struct {
	Default *template.Template
	Trust   bool
	Kwargs  *pyjson.Object // variables for every conversation, nil for none
}

// choose takes the request's template, if it has one and may have one.
func (t Templates) choose(c *Conversation) (*template.Template, *protocol.Error) {
	brought := c.Template != nil || c.Kwargs.Value("chat_template") != nil
	switch {
	case brought && !t.Trust:
		return nil, protocol.BadRequest("Chat template is passed with request, but --trust-request-chat-template is not set. Refused request with untrusted chat template.")
	case c.ownTemplate():
		compiled, err := template.Compile(*c.Template)
		if err != nil {
			refused := protocol.BadRequest("%s", err)
			refused.Uncaught = true
			return nil, refused
		}
		return compiled, nil
	}
	return t.Default, nil
}

// ownTemplate tells whether a request has a template of its own, which is then the one, whatever chat_template_kwargs say.
func (c *Conversation) ownTemplate() bool {
	return c.Template != nil && *c.Template != "" && *c.Template != template.Auto
}
