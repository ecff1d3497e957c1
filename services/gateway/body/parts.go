package body

import (
	"bytes"
	"fmt"
	"mime"
	"net/textproto"
	"strings"
)

// maxPartHead bounds the head of a part of a form, which has a name and that of a file, and the name of a model, in bytes.
const maxPartHead = 16 << 10

// parts walks over the parts of a form in a window of its bytes, which is moved along, and looks at each byte once.
type parts struct {
	delimiter []byte // with the line break before it
	state     partsState
	at        int // in the window; what stands before was read
	value     int // where the value of the field model begins, while state is inModel
}

type partsState int

const (
	atStart partsState = iota // the first delimiter needs no line break before it
	inBody                    // of a part, or what stands before the first
	inModel                   // inBody of the field that is looked for
	inHead                    // after a delimiter
	afterAll
)

// next goes on in the window, and tells where the value of the next field "model" is once all of it is there. What two readers could
// take for different forms is an ErrForm.
func (p *parts) next(window []byte) (value span, found bool, err error) {
	for {
		switch p.state {
		case atStart:
			first := p.delimiter[2:]
			if len(window) < len(first) {
				return span{}, false, nil
			}
			if p.state = inBody; bytes.HasPrefix(window, first) {
				p.state, p.at = inHead, len(first)
			}
		case inBody, inModel:
			i := bytes.Index(window[p.at:], p.delimiter)
			if i < 0 {
				p.at = max(p.at, len(window)-len(p.delimiter)+1)
				return span{}, false, p.bounded(window)
			}
			end, was := p.at+i, p.state
			p.state, p.at = inHead, end+len(p.delimiter)
			if was == inModel {
				value := span{p.value, max(p.value, end)}
				return value, true, oneLine(window[value.start:value.end])
			}
		case inHead:
			if more, err := p.head(window); more || err != nil {
				return span{}, false, err
			}
		case afterAll:
			p.at = len(window)
			return span{}, false, nil
		}
	}
}

// head reads the head of a part, and reports more when the end of it is not there yet.
func (p *parts) head(window []byte) (more bool, err error) {
	rest := window[p.at:]
	if bytes.HasPrefix(rest, []byte("--")) {
		p.state = afterAll
		return false, nil
	}
	end := bytes.Index(rest, []byte("\r\n\r\n"))
	if end < 0 && len(rest) <= maxPartHead {
		return true, nil
	}
	if end < 0 || end > maxPartHead {
		return false, fmt.Errorf("%w: the head of a part has no end", ErrForm)
	}
	padding, lines, ok := bytes.Cut(rest[:end+len("\r\n")], []byte("\r\n"))
	if !ok || len(bytes.Trim(padding, " \t")) > 0 { // the boundary's text in a file, or another boundary to some
		return false, fmt.Errorf("%w: a line begins with the boundary and goes on", ErrForm)
	}
	name, err := fieldName(string(bytes.TrimSuffix(lines, []byte("\r\n"))))
	if err != nil {
		return false, err
	}
	p.value = p.at + end + len("\r\n\r\n")
	p.state, p.at = inBody, p.value-len("\r\n") // an empty part ends with the line that ends its head
	if name == "model" {
		p.state = inModel
	}
	return false, nil
}

// passed is how much of the window can go on: nothing of it will be changed.
func (p *parts) passed() int {
	if p.state == inModel {
		return min(p.at, p.value)
	}
	return p.at
}

// move says that the window lost n bytes at its front.
func (p *parts) move(n int) { p.at, p.value = p.at-n, p.value-n }

// bounded refuses a name without an end.
func (p *parts) bounded(window []byte) error {
	if p.state == inModel && len(window)-p.value > maxPartHead {
		return fmt.Errorf("%w: the field model has no end", ErrForm)
	}
	return nil
}

// oneLine refuses names that could end a line of the form.
func oneLine(name []byte) error {
	if bytes.ContainsAny(name, "\r\n") {
		return fmt.Errorf("%w: the field model has several lines", ErrForm)
	}
	return nil
}

// fieldName reads the name of a part from the lines of its head.
func fieldName(lines string) (name string, err error) {
	if lines == "" {
		return "", nil
	}
	seen := false
	for line := range strings.SplitSeq(lines, "\r\n") {
		key, value, ok := strings.Cut(line, ":")
		if !ok || key != textproto.TrimString(key) || strings.ContainsAny(line, "\r\n") {
			return "", fmt.Errorf("%w: a line in the head of a part is malformed", ErrForm)
		}
		if !strings.EqualFold(key, "Content-Disposition") {
			continue
		}
		_, params, err := mime.ParseMediaType(textproto.TrimString(value))
		if err != nil || seen {
			return "", fmt.Errorf("%w: the Content-Disposition of a part is malformed, or there are two", ErrForm)
		}
		seen, name = true, params["name"]
	}
	return name, nil
}
