package relay

import (
	"bytes"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/gateway/scan"
)

// Usage counts tokens as the backend reports them.
type Usage struct {
	Prompt, Completion int
}

// event is what one frame of a stream means.
type event struct {
	last      End  // the stream that ends so is complete with this frame
	failed    bool // the backend reports an error
	token     bool // text, reasoning or a part of a tool call
	finish    bool // the last chunk of a choice
	aborted   bool // which its server has given up
	usageOnly bool // the chunk that include_usage asks for: usage and an empty list of choices
	usage     Usage
}

// lasts are the types of events that end a stream.
var lasts = map[string]End{
	"response.completed":  EndResponse,
	"response.incomplete": EndResponse,
	"response.failed":     EndResponse,
	"message_stop":        EndMessage,
}

// parseEvent reads the data of a frame as chat and text completions, responses and messages send them. Data that is not
// JSON means nothing, and passes.
func parseEvent(data []byte) event {
	if string(bytes.TrimSpace(data)) == "[DONE]" {
		return event{last: EndDone}
	}
	var e event
	var hasUsage, noChoices bool
	_, err := scan.Object(data, func(m scan.Member) {
		value := data[m.Start:m.End]
		switch string(m.Key) {
		case "choices":
			noChoices = len(bytes.Trim(value, "[] \t\r\n")) == 0
			readChoices(value, &e)
		case "error":
			e.failed = e.failed || string(value) != "null"
		case "type":
			kind, _ := scan.String(value)
			e.token = e.token || kind == "content_block_delta" || strings.HasSuffix(kind, ".delta")
			e.failed = e.failed || kind == "response.failed" || kind == "error"
			e.last = lasts[kind]
		case "usage":
			hasUsage = string(value) != "null"
			e.usage = parseUsage(value)
		case "response", "message":
			if u, err := readUsage(value); err == nil && u != (Usage{}) {
				e.usage = u
			}
		}
	})
	if err != nil {
		return event{}
	}
	e.usageOnly = hasUsage && noChoices
	return e
}

// readChoices notes whether a chunk's choices bring something that a reader sees, and whether one ends.
func readChoices(choices []byte, e *event) {
	_ = scan.Array(choices, func(choice []byte) { // anything else brings nothing
		each(choice, func(key, value []byte) {
			switch string(key) {
			case "finish_reason":
				e.finish = e.finish || string(value) != "null"
				e.aborted = e.aborted || string(value) == `"abort"`
			case "text":
				e.token = e.token || isText(value)
			case "delta":
				each(value, func(key, value []byte) {
					switch string(key) {
					case "content", "reasoning", "reasoning_content", "refusal":
						e.token = e.token || isText(value)
					case "tool_calls":
						e.token = e.token || value[0] == '[' && len(bytes.Trim(value, "[] \t\r\n")) > 0
					}
				})
			}
		})
	})
}

// each visits the members of an object. Other values have none.
func each(object []byte, visit func(key, value []byte)) {
	_, _ = scan.Object(object, func(m scan.Member) { visit(m.Key, object[m.Start:m.End]) })
}

// isText tells a string that is not empty.
func isText(value []byte) bool { return len(value) > 2 && value[0] == '"' }

// readUsage finds the usage in an answer, or in an object that holds one. The error is that of scan.Object.
func readUsage(object []byte) (u Usage, err error) {
	_, err = scan.Object(object, func(m scan.Member) {
		if string(m.Key) == "usage" {
			u = parseUsage(object[m.Start:m.End])
		}
	})
	if err != nil {
		return Usage{}, err
	}
	return u, nil
}

// endOf is how a stream ends whose endpoint does not tell: one of choices is one of completions, whatever its path.
func endOf(data []byte) End {
	if member(data, "choices") != nil {
		return EndDone
	}
	return EndOfTransfer
}

// parseUsage knows the names of chat and text completions and those of responses and messages.
func parseUsage(value []byte) Usage {
	var u Usage
	each(value, func(key, value []byte) {
		switch string(key) {
		case "prompt_tokens", "input_tokens":
			u.Prompt = max(u.Prompt, scan.Count(value))
		case "completion_tokens", "output_tokens":
			u.Completion = max(u.Completion, scan.Count(value))
		}
	})
	return u
}

// add takes over what a later report of the same stream knows. Reports are totals, and each may leave one side out.
func (u *Usage) add(later Usage) {
	u.Prompt = max(u.Prompt, later.Prompt)
	u.Completion = max(u.Completion, later.Completion)
}
