package httptools

import "bytes"

// Chunked reads what stands between the data of a body in chunks. While Left is not 0, data follow; the caller takes them and
// tells Took. Trailers are checked and dropped. Once Done is true the body is over.
type Chunked struct {
	Left  uint64
	Done  bool
	state chunkState
	size  uint64
	name  [len("transfer-encoding")]byte // of a trailer, in lower case, as far as it matters
	named int
}

type chunkState byte

const (
	sizeStart chunkState = iota
	inSize
	sizeEnd // CR was read
	extStart
	inExtName
	inExtValue
	inQuotes
	inPair
	afterQuotes
	dataEnd
	dataLF
	trailerStart
	inTrailerName
	beforeTrailerValue
	inTrailerValue
	trailerLF
	lastLF
)

// Took tells that n bytes of data were read, no more than Left.
func (c *Chunked) Took(n int) {
	if c.Left -= uint64(n); c.Left == 0 {
		c.state = dataEnd
	}
}

// Framing returns how many bytes of b it took: all, or those up to the next data or to the end of the body.
func (c *Chunked) Framing(b []byte) (int, error) {
	for i := range b {
		if c.Left > 0 || c.Done {
			return i, nil
		}
		step := c.trailer
		switch {
		case c.state <= sizeEnd:
			step = c.chunkSize
		case c.state <= afterQuotes:
			step = c.extension
		}
		if !step(b[i]) {
			return i, ErrInvalid
		}
	}
	return len(b), nil
}

func (c *Chunked) chunkSize(b byte) bool {
	switch {
	case classes[b]&inHexChar != 0 && c.state != sizeEnd:
		if c.size>>60 != 0 {
			return false
		}
		c.size, c.state = c.size<<4|uint64(digit(b)), inSize
	case c.state == inSize && b == ';':
		c.state = extStart
	case c.state == inSize && b == '\r':
		c.state = sizeEnd
	case c.state == sizeEnd && b == '\n':
		c.Left, c.size, c.state = c.size, 0, trailerStart // which follows a size of 0
	default:
		return false
	}
	return true
}

// extension checks ;name=value and ;name="value" behind a size.
func (c *Chunked) extension(b byte) bool {
	at := c.state
	switch {
	case at == inPair && classes[b]&inValueChar != 0:
		c.state = inQuotes
	case at == inQuotes && b == '"':
		c.state = afterQuotes
	case at == inQuotes && b == '\\':
		c.state = inPair
	case at == inQuotes:
		return classes[b]&inValueChar != 0
	case at == inPair:
		return false
	case b == ';':
		c.state = extStart
	case b == '\r' && at != extStart:
		c.state = sizeEnd
	case b == '=' && (at == extStart || at == inExtName):
		c.state = inExtValue
	case b == '"' && at == inExtValue:
		c.state = inQuotes
	case at != afterQuotes && classes[b]&inNameChar != 0:
		if at == extStart {
			c.state = inExtName
		}
	default:
		return false
	}
	return true
}

// trailer reads the end of data, and the lines behind the last chunk.
func (c *Chunked) trailer(b byte) bool {
	at := c.state
	switch {
	case at == dataEnd && b == '\r':
		c.state = dataLF
	case at == dataLF && b == '\n':
		c.state = sizeStart
	case at == trailerStart && b == '\r':
		c.state = lastLF
	case at == lastLF && b == '\n':
		c.Done = true
	case (at == trailerStart || at == inTrailerName) && classes[b]&inNameChar != 0:
		if at == trailerStart {
			c.named, c.state = 0, inTrailerName
		}
		if c.named < len(c.name) {
			c.name[c.named] = b | 0x20
		}
		c.named++
	case at == inTrailerName && b == ':':
		c.state = beforeTrailerValue
		return !c.frames()
	case (at == beforeTrailerValue || at == inTrailerValue) && b == '\r':
		c.state = trailerLF
	case (at == beforeTrailerValue || at == inTrailerValue) && classes[b]&inValueChar != 0:
		c.state = inTrailerValue
	case at == trailerLF && b == '\n':
		c.state = trailerStart
	default:
		return false
	}
	return true
}

// frames tells whether the trailer's name is one that would tell anew where the body ends.
func (c *Chunked) frames() bool {
	if c.named > len(c.name) {
		return false
	}
	name := c.name[:c.named]
	return bytes.Equal(name, []byte("content-length")) || bytes.Equal(name, []byte("transfer-encoding"))
}
