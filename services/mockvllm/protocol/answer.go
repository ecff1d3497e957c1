package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Head is what all parts of one answer carry.
type Head struct {
	ID          string // with its prefix
	Created     int64  // Unix seconds
	Model       string // the adapter, or the first served name
	Fingerprint string // "" is sent as null, and not at all in streams
}

// AppendFingerprint writes the fingerprint as whole answers have it.
func (h Head) AppendFingerprint(b []byte) []byte {
	if h.Fingerprint == "" {
		return append(b, "null"...)
	}
	return pyjson.AppendString(b, h.Fingerprint)
}

// NewID makes 16 hex digits, the low half of a version 4 UUID as in vLLM: the first digit is 8, 9, a or b. It is no secret.
func NewID() string { return NewIDAfter("") }

// NewIDAfter is a prefix and such an id behind it.
func NewIDAfter(prefix string) string {
	var room [64]byte
	return string(strconv.AppendUint(append(room[:0], prefix...), rand.Uint64()>>2|1<<63, 16))
}

// NewCallID makes the id of a tool call.
func NewCallID() string { return NewIDAfter("chatcmpl-tool-") }

// Usage counts tokens.
type Usage struct {
	Prompt, Completion int
	Cached             int            // of Prompt, from the prefix cache
	Details            *PromptDetails // nil: not told
	Reasoning          *int           // of Completion; nil: no reasoning is told apart
}

// PromptDetails tells which tokens of a prompt were computed before.
type PromptDetails struct {
	Cached  int
	Created int // to be cached from now on; -1 is sent as null
}

// Append writes the object that whole answers have.
func (u Usage) Append(b []byte) []byte {
	b = u.counts(b)
	b = append(b, `,"prompt_tokens_details":`...)
	if u.Details == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(append(b, `{"cached_tokens":`...), int64(u.Details.Cached), 10)
		b = append(b, `,"created_cache_tokens":`...)
		if u.Details.Created < 0 {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendInt(b, int64(u.Details.Created), 10)
		}
		b = append(b, `,"multimodal_tokens":null}`...)
	}
	return append(u.completion(b), '}')
}

// counts leaves the object open.
func (u Usage) counts(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"prompt_tokens":`...), int64(u.Prompt), 10)
	b = strconv.AppendInt(append(b, `,"total_tokens":`...), int64(u.Prompt+u.Completion), 10)
	return strconv.AppendInt(append(b, `,"completion_tokens":`...), int64(u.Completion), 10)
}

func (u Usage) completion(b []byte) []byte {
	b = append(b, `,"completion_tokens_details":`...)
	if u.Reasoning == nil {
		return append(b, "null"...)
	}
	return append(strconv.AppendInt(append(b, `{"reasoning_tokens":`...), int64(*u.Reasoning), 10), '}')
}

// AppendFinal writes the object of a stream's last chunk, which leaves out what is null.
func (u Usage) AppendFinal(b []byte) []byte {
	b = u.counts(b)
	if u.Details != nil {
		b = strconv.AppendInt(append(b, `,"prompt_tokens_details":{"cached_tokens":`...), int64(u.Details.Cached), 10)
		if u.Details.Created >= 0 {
			b = strconv.AppendInt(append(b, `,"created_cache_tokens":`...), int64(u.Details.Created), 10)
		}
		b = append(b, '}')
	}
	if u.Reasoning != nil {
		b = u.completion(b)
	}
	return append(b, '}')
}

// AppendRunning writes the object of a chunk on the way. Only chat tells about reasoning there.
func (u Usage) AppendRunning(b []byte, chat bool) []byte {
	b = u.counts(b)
	if chat {
		b = u.completion(b)
	}
	return append(b, '}')
}

// AppendText writes a string, null for none.
func AppendText(b []byte, s *string) []byte {
	if s == nil {
		return append(b, "null"...)
	}
	return pyjson.AppendString(b, *s)
}

// AppendInts writes a list of numbers.
func AppendInts(b []byte, list []int) []byte {
	b = append(b, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
}

// AppendFloat writes a number as pydantic does: the shortest digits that mean it, always with a point or an exponent.
func AppendFloat(b []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(b, "null"...)
	case abs != 0 && (abs < 1e-5 || abs >= 1e16):
		start := len(b)
		b = strconv.AppendFloat(b, f, 'e', -1, 64)
		for i := len(b) - 2; i > start; i-- { // 1e-07 is 1e-7
			if (b[i] == '-' || b[i] == '+') && b[i+1] == '0' {
				return append(b[:i+1], b[i+2:]...)
			}
		}
		return b
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	for _, c := range b[start:] {
		if c == '.' {
			return b
		}
	}
	return append(b, ".0"...)
}

// AppendStop writes why an answer stopped: a string, the id of a token, or null.
func AppendStop(b []byte, stop any) []byte {
	switch stop := stop.(type) {
	case string:
		return pyjson.AppendString(b, stop)
	case int:
		return strconv.AppendInt(b, int64(stop), 10)
	}
	return append(b, "null"...)
}

// Marshal encodes a body that its user declared.
func Marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("BUG: %T does not encode: %v", v, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
