package toolparser

import (
	"strings"
)

// Call is one call of a tool.
type Call struct {
	ID        string // as the markup says it (kimi_k2: functions.get_weather:0) or the format makes it (mistral); else empty, and the server makes one
	Name      string
	Arguments string // JSON
}

// Tool is what a format has to know of a tool to give its arguments their types.
type Tool struct {
	Name       string
	Parameters []byte // JSON Schema
}

// Delta is what a piece of text brings. Both parts may be there, never neither.
type Delta struct {
	Content string
	Calls   []CallDelta
}

// CallDelta is a piece of a call: its beginning, which has the name, or more of its arguments. In some formats a beginning has
// arguments, too.
type CallDelta struct {
	Index     int // of the call in the answer
	Begins    bool
	ID        string // where it begins, as in Call
	Name      string // where it begins
	Arguments string
}

// Format is one kind of markup.
type Format struct {
	// LeavesContentOut says that vLLM's deltas with calls have no member content, where others have content null.
	LeavesContentOut bool
	// DropsCut says that of text with calls that are not complete only the content before them counts; else all of it is content.
	DropsCut bool

	write  func(calls []Call) string
	parse  func(text string, tools []Tool) (content string, calls []Call)
	stream func(tools []Tool) Stream
}

// Stream reads a text piece by piece. It belongs to one answer.
type Stream interface {
	// Feed takes the next piece, and returns false when it brings nothing to send.
	Feed(piece string) (Delta, bool)
	// Finish returns what was held back until the text ended. Most formats lose that.
	Finish() (Delta, bool)
}

// Unstreamer is a Stream that may owe a part of its last call when the text ends.
type Unstreamer interface {
	// Unstreamed is what vLLM believes to be left of the arguments of the last call. It is sent only with another piece of a call.
	Unstreamed() string
}

// Lookup finds a format by vLLM's name. Names that vLLM knows and this package does not are in Names only.
func Lookup(name string) (Format, bool) {
	f, ok := formats[name]
	return f, ok
}

// Write is how a model says these calls, one after the other.
func (f Format) Write(calls []Call) string { return f.write(calls) }

// Parse reads a whole text. content is nil when there are calls and no words.
func (f Format) Parse(text string, tools []Tool) (content *string, calls []Call) {
	words, calls := f.parse(text, tools)
	if len(calls) > 0 && strings.TrimSpace(words) == "" || f.DropsCut && words == "" {
		return nil, calls
	}
	return &words, calls
}

// Stream begins to read an answer.
func (f Format) Stream(tools []Tool) Stream { return f.stream(tools) }

var formats = map[string]Format{
	"deepseek_v3": deepseekV3,
	"glm45":       glm,
	"glm47":       glm,
	"granite":     granite,
	"hermes":      hermes,
	"kimi_k2":     kimiK2,
	"llama3_json": llama,
	"llama4_json": llama,
	"longcat":     longcat,
	"mimo":        qwen3,
	"minimax_m2":  minimaxM2,
	"mistral":     mistral,
	"pythonic":    pythonic,
	"qwen3_coder": qwen3,
	"qwen3_json":  hermes,
	"qwen3_xml":   qwen3,
	"seed_oss":    seedOSS,
}
