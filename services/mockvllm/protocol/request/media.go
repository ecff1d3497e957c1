package request

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Media is the field of a request with arguments for a processor of media, "" for none.
type Media string

// mediaChanges are the fields that vLLM looks at, and what they change.
var mediaChanges = []struct {
	field Media
	what  string
}{{"mm_processor_kwargs", "preprocessing"}, {"media_io_kwargs", "media loading"}}

// ReadMedia finds the field. A text completion does not know them, so that they may hold anything.
func ReadMedia(v *schema.Values) Media {
	for _, m := range mediaChanges {
		if given := v.Get(string(m.field)); schema.Truthy(given) {
			return m.field
		}
		for _, extra := range v.Extra() {
			if extra.Key == string(m.field) && schema.Truthy(extra.Value) {
				return m.field
			}
		}
	}
	return ""
}

// Check refuses the arguments, which only a server with --trust-request-mm-kwargs takes.
func (m Media) Check() *protocol.Error {
	for _, c := range mediaChanges {
		if m == c.field {
			return protocol.BadValue(string(m), "", "Per-request %s are disabled by default because they can change multimodal %s resource usage. "+
				"Start the server with --trust-request-mm-kwargs only when clients are trusted.", m, c.what)
		}
	}
	return nil
}
