package relay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/sse"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

const (
	// maxHeld is the most of a plain answer that is held back, 8 MiB, where there is memory for it. Above it a late failure breaks the
	// transfer.
	maxHeld = 8 << 20
	// maxFrame bounds one event of a stream.
	maxFrame = 8 << 20
	// afterDone is how long the end of the transfer may take once the last event came. It frees the connection for the next request.
	afterDone = time.Second
)

// Outcome is how an answer ended.
type Outcome string

// The outcomes.
const (
	Completed    Outcome = "completed"
	Interrupted  Outcome = "interrupted"   // the backend broke off, fell silent, or the gateway stops
	Failed       Outcome = "error"         // the backend itself put an error into its stream
	ClientClosed Outcome = "client_closed" // the client left
)

// Outcomes are all of them.
var Outcomes = []Outcome{Completed, Interrupted, Failed, ClientClosed}

// Patience is asked to end the request when the backend is silent for too long.
type Patience interface {
	Expect(next time.Duration)
	Pause()
}

// Memory is what all answers that are held back may take together.
type Memory interface {
	Take(n int64) bool // n bytes more; false, and nothing taken, where there is no room
	Give(n int64)      // back
}

// Meter is told about tokens as they pass.
type Meter interface {
	FirstToken()
	NextToken(gap time.Duration)
}

// End is how the streams of an API end. A stream that stops before is not complete.
type End int

// The ends.
const (
	EndOfTransfer End = iota // no event tells; for APIs that are not known, unless their events have choices
	EndDone                  // [DONE]: chat and text completions
	EndResponse              // response.completed, .incomplete or .failed: the Responses API
	EndMessage               // message_stop: Anthropic's Messages API
)

// Options say how to treat the answers of one request.
type Options struct {
	End       End           // of streams
	DropUsage bool          // the usage chunk of a stream was asked for by us, not by the client
	Idle      time.Duration // the longest silence after the first byte
	Patience  Patience
	Memory    Memory // for what is held back of a plain answer beyond its first 64 KiB
	Meter     Meter
	Cause     func() error // why the request was ended: web.ErrClientLeft, web.ErrStopping, a timeout; nil when it was not. Asked when reading fails
}

// Result tells what became of an answer.
type Result struct {
	Outcome Outcome
	Usage   Usage
	Err     error // what broke it; nil when completed
	Abort   bool  // the connection to the client has to be broken, nothing else can tell it
}

// Answer is a backend's answer of which nothing was sent yet.
type Answer struct {
	Status int
	Stream bool // an event stream

	cut    bool // the server has ended a whole answer early, on its own account
	header http.Header
	body   io.ReadCloser
	sender interface {
		send(w http.ResponseWriter, begun bool) Result
		ending() bool // what is at hand of the body has last words in a report of a failure
		close()       // nothing of it is used any more
	}
}

// Receive takes over resp, whose headers are fit for the client, and waits for what is worth sending. After an error
// resp is closed and nothing was sent.
func Receive(resp *http.Response, opts Options) (*Answer, error) {
	head := Answer{Status: resp.StatusCode, header: resp.Header, body: resp.Body}
	var a *Answer
	var err error
	if media := web.MediaType(resp.Header); media == sse.ContentType {
		a, err = receiveStream(head, resp, opts)
	} else {
		a, err = receivePlain(head, resp, opts, media)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("receive answer: %w", err), resp.Body.Close())
	}
	return a, nil
}

// Send copies the answer to w. begun tells that an event stream was begun there already (KeepAlive), so that status and
// header of this answer are lost. Send is called at most once.
func (a *Answer) Send(w http.ResponseWriter, begun bool) Result { return a.sender.send(w, begun) }

// lastWords are what vLLM says when its engine is going or gone. They mean that another server should be asked, though they
// come with a 500, or in the first frame of a stream.
var lastWords = [][]byte{[]byte("cannot schedule new futures after shutdown"), []byte("EngineCore encountered an issue")}

// hasLastWords tells whether they stand in b.
func hasLastWords(b []byte) bool {
	return slices.ContainsFunc(lastWords, func(words []byte) bool { return bytes.Contains(b, words) })
}

// aborted is how vLLM ends the choice of a plain answer that it gives up, though nobody has asked it to: it is told to stop, or to pause.
// Within a text its quotes would be escaped.
var aborted = []byte(`"finish_reason":"abort"`)

// Ending tells whether the answer is only that the server is ending, or what it had of one by then.
func (a *Answer) Ending() bool {
	return a.cut || (a.Status == http.StatusInternalServerError || a.Stream) && a.sender.ending()
}

// Close gives the connection to the backend up, or back when the answer was read to its end.
func (a *Answer) Close() error {
	a.sender.close()
	return a.body.Close()
}

// writeHeader starts the client's answer. What the gateway has set already stays.
func (a *Answer) writeHeader(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range a.header {
		if _, ours := h[name]; !ours { // the request id, limits
			h[name] = values
		}
	}
	if a.header["Content-Type"] == nil {
		h["Content-Type"] = nil // net/http would guess one
	}
	if a.Stream {
		h.Set("X-Accel-Buffering", "no") // nginx would collect frames
		h.Del("Content-Length")          // frames may be added or left out
	}
	w.WriteHeader(a.Status)
}
