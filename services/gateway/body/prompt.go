package body

import "github.com/fluidmcp/fluidmcp/services/gateway/scan"

// promptStart is how much of a prompt tells it from others, in bytes. vLLM's prefix cache holds blocks of 16 tokens, some
// 64 bytes of English, and a system prompt is longer than that.
const promptStart = 1 << 10

// prompts are the members that models read, in the order in which they do: the system prompt of Anthropic's API, that of the
// Responses API, then what the chat, completion and other endpoints call the prompt.
var prompts = [...]string{"system", "instructions", "messages", "prompt", "input"}

// notePrompt remembers a member that is part of the prompt. The last of duplicate keys counts.
func (d *Document) notePrompt(m scan.Member) {
	for i, name := range prompts {
		if string(m.Key) == name {
			d.prompt[i] = span{m.Start, m.End}
		}
	}
}

// Prompt returns the first 1 KiB of the prompt, or all of a shorter one, and nothing when there is none: roles, texts and
// token numbers, each after a zero byte, as they stand in the JSON. It is made to tell prompts that begin alike from others,
// and not to be read: two spellings of the same text differ.
func (d *Document) Prompt() []byte {
	var out []byte
	for _, at := range d.prompt {
		scan.Scalars(d.src[at.start:at.end], func(raw []byte) bool {
			if out == nil {
				out = make([]byte, 0, promptStart)
			}
			if len(out) < promptStart {
				out = append(out, 0)
			}
			out = append(out, raw[:min(len(raw), promptStart-len(out))]...)
			return len(out) < promptStart
		})
	}
	return out
}
