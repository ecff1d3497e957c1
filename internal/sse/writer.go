package sse

import (
	"bytes"
	"fmt"
	"net/http"
)

// ContentType is the media type of event streams. Servers written in Python append a charset; clients ignore it.
const ContentType = "text/event-stream"

// Writer sends frames to a client, each flushed as it is written.
type Writer struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// NewWriter starts a 200 answer with the headers of an event stream.
func NewWriter(w http.ResponseWriter) *Writer {
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no") // nginx would collect frames
	w.WriteHeader(http.StatusOK)
	return &Writer{w: w, rc: http.NewResponseController(w)}
}

// Data sends one event without a type.
func (w *Writer) Data(data []byte) error { return w.Raw(AppendData(nil, data)) }

// Event sends one event without a type. Its id, which has no line break, is what a client that comes again sends as Last-Event-ID.
func (w *Writer) Event(id string, data []byte) error {
	return w.Raw(AppendData(fmt.Appendf(nil, "id: %s\n", id), data))
}

// Comment sends a line that clients ignore, to keep the connection in use.
func (w *Writer) Comment(text string) error { return w.Raw(fmt.Appendf(nil, ": %s\n\n", text)) }

// Raw sends bytes as they are.
func (w *Writer) Raw(b []byte) error {
	if _, err := w.w.Write(b); err != nil {
		return err
	}
	return w.rc.Flush()
}

// AppendData appends one event without a type. Data with line breaks becomes several data fields.
func AppendData(dst, data []byte) []byte {
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		dst = append(dst, "data: "...)
		dst = append(dst, line...)
		dst = append(dst, '\n')
	}
	return append(dst, '\n')
}
