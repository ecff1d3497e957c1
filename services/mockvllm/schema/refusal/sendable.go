package refusal

import (
	"fmt"
	"unicode/utf16"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Sendable is the error that a client gets: one with half of a UTF-16 pair in its text fails when it is encoded, which is
// a ValueError that vLLM answers in turn. Its position is that in the whole answer.
func (e *Error) Sendable() *Error {
	if !pyjson.HasSurrogate(e.Message) {
		return e
	}
	before, halves := "", []rune(nil)
	for at, c := range pyjson.Runes(e.Message) {
		if !utf16.IsSurrogate(c) {
			if halves != nil {
				break
			}
			continue
		}
		if halves == nil {
			before = e.Message[:at]
		}
		halves = append(halves, c)
	}
	position := len(`{"error":{"message":`) + pyjson.Len(string(pyjson.AppendString(nil, before))) - 1
	where := fmt.Sprintf("character '\\u%04x' in position %d", halves[0], position)
	if len(halves) > 1 {
		where = fmt.Sprintf("characters in position %d-%d", position, position+len(halves)-1)
	}
	return BadRequest("'utf-8' codec can't encode "+where+": surrogates not allowed", "")
}
