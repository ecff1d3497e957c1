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

// logFailure writes why the engine fails with a request, where its client is not told. vLLM's log has a stack trace for it.
func (s *Answers) logFailure(why string) {
	s.console.Log("EngineCore", "ERROR", "mockvllm", "the engine fails with a request: %s", why)
}

// LogTemplate writes what vLLM's log says of a request that the chat template refuses.
func (s *Answers) LogTemplate(err *protocol.Error) {
	if err.Template {
		s.console.Warn("hf.py:839", "Chat template rejected the request: %s", err.Message)
	}
}
