package relay

import (
	"bytes"
	"unicode/utf8"
)

// pattern is a frame that brought some text and nothing else, without the text. Nearly every frame of a stream has the pattern of
// the one before, and then means the same without being read. The zero value fits nothing.
type pattern struct{ before, after []byte }

// texts begin the texts that a frame may bring. What they are does not matter for event, only whether there is one.
var texts = [][]byte{[]byte(`"content":"`), []byte(`"text":"`), []byte(`"reasoning":"`), []byte(`"reasoning_content":"`)}

// parse is parseEvent.
func (p *pattern) parse(data []byte) event {
	if p.fits(data) {
		return event{token: true}
	}
	e := parseEvent(data)
	if e == (event{token: true}) {
		p.take(data)
	}
	return e
}

func (p *pattern) fits(data []byte) bool {
	text, begins := bytes.CutPrefix(data, p.before)
	text, ends := bytes.CutSuffix(text, p.after)
	return begins && ends && len(p.before) > 0 && plainText(text)
}

// take keeps a frame that was found to bring text, unless that is hard to tell from the rest.
func (p *pattern) take(data []byte) {
	for _, key := range texts {
		at := bytes.Index(data, key) // a key: within a string its quotes would be escaped
		if at < 0 {
			continue
		}
		before := data[:at+len(key)]
		length := bytes.IndexByte(data[len(before):], '"')
		if text, after := data[len(before):len(before)+length], data[len(before)+length:]; plainText(text) {
			p.before, p.after = append(p.before[:0], before...), append(p.after[:0], after...)
		}
		return
	}
}

// plainText tells some text as it may stand in a JSON string, without any escape.
func plainText(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return len(b) > 0 && utf8.Valid(b)
}
