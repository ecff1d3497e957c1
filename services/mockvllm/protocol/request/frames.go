package request

import (
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// Frames writes a streamed answer, as one interface words it. Each frame goes to the function that the writer was made with;
// its bytes are valid until that returns.
type Frames interface {
	// Begin opens the choices, once the first token of any is there.
	Begin()
	// Part tells more of a choice; the last part has a finish reason.
	Part(choice int, o *generation.Output)
	// End closes the stream.
	End(u protocol.Usage, t *protocol.Timing)
	// Fail ends a stream that could not go on, although its 200 was sent. It is broken when the connection ends with it,
	// without an end of the answer.
	Fail(e *protocol.Error) (broken bool)
}

// room has place for most frames.
type room [1 << 10]byte

var rooms = sync.Pool{New: func() any { return new(room) }}

// Borrow lends memory to write a frame in, for as long as that takes: streams wait most of the time.
func Borrow() []byte { return rooms.Get().(*room)[:0] }

// Return takes back what Borrow has lent.
func Return(frame []byte) {
	if cap(frame) == len(room{}) { // else it has grown
		rooms.Put((*room)(frame[:cap(frame)]))
	}
}

// Done is the frame that ends a stream of completions.
const Done = "data: [DONE]\n\n"
