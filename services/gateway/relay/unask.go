package relay

import (
	"bytes"
	"io"
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/sse"
)

// unasker undoes what asking for usage changes in a stream of chat or text completions, for a client that did not ask. vLLM
// then sends one chunk more, with the usage, and its fingerprint goes into that chunk; otherwise it stands in the last
// chunk of each choice. So these chunks are held back until the usage is here, which with one choice is at once. With
// several the others go on; their order among each other is chance anyway.
//
// A server that reports usage unasked (vLLM's --enable-force-include-usage) reports it in every chunk. Then nothing is undone.
type unasker struct {
	held [][]byte // frames
	off  bool     // everything is passed on
}

// write sends a frame, or holds or drops it.
func (u *unasker) write(w io.Writer, f sse.Frame, e event) error {
	u.off = u.off || !e.usageOnly && e.usage != (Usage{})
	switch {
	case u.off:
	case e.usageOnly:
		return u.release(w, member(f.Data, fingerprint))
	case e.finish:
		u.held = append(u.held, slices.Clone(f.Raw))
		return nil
	case e.last == EndOfTransfer && !e.failed: // of another choice, or a comment
		_, err := w.Write(f.Raw)
		return err
	}
	if err := u.release(w, nil); err != nil {
		return err
	}
	_, err := w.Write(f.Raw)
	return err
}

// release sends what is held, with the fingerprint where there is one.
func (u *unasker) release(w io.Writer, value []byte) error {
	for _, frame := range u.held {
		if _, err := w.Write(addFingerprint(frame, value)); err != nil {
			return err
		}
	}
	u.held = nil
	return nil
}

const fingerprint = "system_fingerprint"

// addFingerprint puts the fingerprint where vLLM has it, at the end of the chunk.
func addFingerprint(frame, value []byte) []byte {
	start, end := bytes.IndexByte(frame, '{'), bytes.LastIndexByte(frame, '}')
	if value == nil || start < 0 || end < start || member(frame[start:end+1], fingerprint) != nil {
		return frame
	}
	return slices.Concat(frame[:end], []byte(`,"`+fingerprint+`":`), value, frame[end:])
}

// member returns a member of an object, nil when there is none.
func member(object []byte, name string) (found []byte) {
	each(object, func(key, value []byte) {
		if string(key) == name {
			found = value
		}
	})
	return found
}
