package answers

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// LogUnknown writes what vLLM's log says of a model that is not served, where it says something.
func (s *Answers) LogUnknown(where string, err *protocol.Error) {
	if where != "" {
		s.console.Log("APIServer", "ERROR", where, "Error with model error=ErrorInfo(message=%s, type='%s', param='%s', code=%d)",
			pyjson.Repr(err.Message), err.Type, err.Param, err.Status)
	}
}

// LogTemplate writes what vLLM's log says of a request that the chat template refuses.
func (s *Answers) LogTemplate(err *protocol.Error) {
	if err.Template {
		s.console.Warn("hf.py:839", "Chat template rejected the request: %s", err.Message)
	}
}
