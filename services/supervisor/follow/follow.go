package follow

import (
	"context"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/sse"
)

// Stream is the answer to one client. It is not safe for concurrent use.
type Stream struct {
	*sse.Writer
	client context.Context // the stream is no longer than the request
	ending <-chan struct{}
	quiet  *time.Ticker
}

// New begins the answer with a comment that says what is followed: the client has the header also when there is nothing to
// send yet. Once ending is closed, what is new then is the last. Close ends the stream.
func New(w http.ResponseWriter, r *http.Request, ending <-chan struct{}, what string) (*Stream, error) {
	out := sse.NewWriter(w)
	if err := out.Comment(what); err != nil {
		return nil, err
	}
	return &Stream{out, r.Context(), ending, time.NewTicker(fleet.KeepAlive)}, nil
}

// Close frees what the stream holds. The answer ends with its handler.
func (s *Stream) Close() { s.quiet.Stop() }

// Ending tells whether what there is to send is the last. It has to be asked before one looks for that.
func (s *Stream) Ending() bool {
	select {
	case <-s.ending:
		return true
	default:
		return false
	}
}

// Gone tells whether the client has left.
func (s *Stream) Gone() bool { return s.client.Err() != nil }

// Wait keeps the connection in use until there may be something new: one of the channels is closed, of which one may be nil, or
// the end begins. It returns also when the client leaves, and with an error when nothing can be sent to it.
func (s *Stream) Wait(changed, also <-chan struct{}) error {
	for {
		select {
		case <-changed:
			return nil
		case <-also:
			return nil
		case <-s.ending:
			return nil
		case <-s.client.Done():
			return nil
		case <-s.quiet.C:
			if err := s.Comment("keep-alive"); err != nil {
				return err
			}
		}
	}
}
