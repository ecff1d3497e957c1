package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// frameHead is a stream's number, three zeros, and the length of what follows, the most significant byte first ("Stream format" of the
// API's reference, ContainerAttach).
const frameHead = 8

// errorStream is the number of frames that hold a failure of the engine instead of output.
const errorStream = 3

// Demultiplex copies the output in the frames of r to w, standard output and standard error in the order in which the engine read
// them. The end of r at the end of a frame is no error.
func Demultiplex(w io.Writer, r io.Reader) error {
	var head [frameHead]byte
	for {
		if _, err := io.ReadFull(r, head[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a container's log: %w", err)
		}
		if head[0] > errorStream || head[1] != 0 || head[2] != 0 || head[3] != 0 {
			return fmt.Errorf("read a container's log: % x is not the head of a frame", head)
		}
		size := int64(binary.BigEndian.Uint32(head[4:]))
		if head[0] == errorStream {
			text, _ := io.ReadAll(io.LimitReader(r, min(size, 1<<10)))
			return fmt.Errorf("read a container's log: the engine says: %s", text)
		}
		if _, err := io.CopyN(w, r, size); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("read a container's log: %w", err)
		}
	}
}
