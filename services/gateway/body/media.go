package body

import (
	"bytes"

	"github.com/fluidmcp/fluidmcp/services/gateway/scan"
)

const (
	// mediaLeast is the length from which a string may be a picture or a recording, in bytes.
	mediaLeast = 4 << 10
	// mediaSample is how much of such a string is looked at.
	mediaSample = 256
)

// Media tells how many pictures and recordings lie in the document itself, in base64 as data: URLs and input_audio have it, and how
// many bytes these take.
func (d *Document) Media() (pieces, size int) {
	if len(d.src) < mediaLeast {
		return 0, 0
	}
	scan.Scalars(d.src, func(raw []byte) bool {
		if len(raw) >= mediaLeast && isMedia(raw[:mediaSample]) {
			pieces++
			size += len(raw)
		}
		return true
	})
	return pieces, size
}

// isMedia tells base64 from text, in which so long a stretch has blanks, punctuation, or letters that are not English.
func isMedia(start []byte) bool {
	if bytes.HasPrefix(start, []byte("data:")) {
		_, start, _ = bytes.Cut(start, []byte(","))
	}
	for _, c := range start {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '/', c == '\\', c == '-', c == '_', c == '=':
		default:
			return false
		}
	}
	return true
}
