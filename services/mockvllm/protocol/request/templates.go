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
	own := c.Template != nil || get(c.Kwargs, "chat_template") != nil
	switch {
	case own && !t.Trust:
		return nil, protocol.BadRequest("Chat template is passed with request, but --trust-request-chat-template is not set. Refused request with untrusted chat template.")
	case c.Template != nil && *c.Template != "":
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
