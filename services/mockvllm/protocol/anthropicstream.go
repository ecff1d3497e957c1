package protocol

import (
	"encoding/json"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// messageStream frames a message: named events, blocks of content that open and close, and no [DONE].
type messageStream struct {
	h     Head
	emit  func(frame []byte)
	block string // type of the open one, or ""
	index int    // of the open block, or of the next
	end   Choice
}

// NewMessageStream frames the events of a message.
func NewMessageStream(h Head, _ *Common, emit func(frame []byte)) Frames {
	return &messageStream{h: h, emit: emit}
}

// Open sends the message without content.
func (s *messageStream) Open(_, prompt int) {
	type message struct {
		ID           jsonText     `json:"id"`
		Type         string       `json:"type"`
		Role         string       `json:"role"`
		Content      []block      `json:"content"`
		Model        jsonText     `json:"model"`
		StopReason   nothing      `json:"stop_reason"`
		StopSequence nothing      `json:"stop_sequence"`
		Usage        messageUsage `json:"usage"`
	}
	s.event("message_start", struct {
		Type    string  `json:"type"`
		Message message `json:"message"`
	}{"message_start", message{ID: jsonText(s.h.ID), Type: "message", Role: "assistant", Content: []block{}, Model: jsonText(s.h.Model),
		Usage: messageUsage{Input: prompt}}})
}

// Token sends what a token brings.
func (s *messageStream) Token(_ int, w Work, token int) { s.part(w, w.part(token)) }

// Finish sends the last of the content. vLLM tells the end together with the usage.
func (s *messageStream) Finish(_ int, w Work, delivered int) {
	s.part(w, w.last(delivered))
	s.end = w.Choice(delivered)
}

// Close ends block and message.
func (s *messageStream) Close(u Usage) {
	s.closeBlock()
	type delta struct {
		StopReason   any `json:"stop_reason"`
		StopSequence any `json:"stop_sequence"`
	}
	s.event("message_delta", struct {
		Type  string       `json:"type"`
		Delta delta        `json:"delta"`
		Usage messageUsage `json:"usage"`
	}{"message_delta", delta{stopReason(s.end), stopSequence(s.end)}, messageUsage{u.Prompt, u.Completion}})
	s.event("message_stop", struct {
		Type string `json:"type"`
	}{"message_stop"})
}

func (s *messageStream) part(w Work, p text.Part) {
	if p.Words != "" {
		if s.block != "text" {
			s.openBlock(textBlock(""))
		}
		s.delta(struct {
			Type string   `json:"type"`
			Text jsonText `json:"text"`
		}{"text_delta", jsonText(p.Words)})
	}
	for _, call := range p.Calls {
		switch {
		case call.Index > 0 && !w.parallel:
		case call.Begins:
			s.openBlock(callBlock(call.Name, json.RawMessage("{}")))
		default:
			s.delta(struct {
				Type string   `json:"type"`
				JSON jsonText `json:"partial_json"`
			}{"input_json_delta", jsonText(call.Arguments)})
		}
	}
}

func (s *messageStream) openBlock(b block) {
	s.closeBlock()
	s.block = b.Type
	s.event("content_block_start", struct {
		Type  string `json:"type"`
		Block block  `json:"content_block"`
		Index int    `json:"index"`
	}{"content_block_start", b, s.index})
}

func (s *messageStream) delta(d any) {
	s.event("content_block_delta", struct {
		Type  string `json:"type"`
		Delta any    `json:"delta"`
		Index int    `json:"index"`
	}{"content_block_delta", d, s.index})
}

func (s *messageStream) closeBlock() {
	if s.block == "" {
		return
	}
	s.event("content_block_stop", struct {
		Type  string `json:"type"`
		Index int    `json:"index"`
	}{"content_block_stop", s.index})
	s.block = ""
	s.index++
}

func (s *messageStream) event(name string, data any) {
	frame := append([]byte("event: "+name+"\ndata: "), Marshal(data)...)
	s.emit(append(frame, "\n\n"...))
}
