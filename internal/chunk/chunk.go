// Package chunk reads the size of a chunk, for the server and the transport, which frame bodies themselves.
package chunk

import "errors"

var (
	// ErrNoSize says that no size is there.
	ErrNoSize = errors.New("a chunk without its size")
	// ErrTooLarge says that a chunk is larger than any body, or its size is written in more digits than such a number needs.
	ErrTooLarge = errors.New("a chunk larger than any")
)

const (
	maxSize   = 1 << 60
	maxDigits = 16
)

// Size reads the hexadecimal digits with which the head of a chunk begins (RFC 9112, section 7.1). The size is in bytes and below
// 1<<60. What follows it, as an extension does, is for the caller to judge.
func Size(head []byte) (size int64, rest []byte, err error) {
	digits := 0
	for ; digits < len(head); digits++ {
		d, ok := hexDigit(head[digits])
		if !ok {
			break
		}
		if digits == maxDigits || size >= maxSize/16 {
			return 0, nil, ErrTooLarge
		}
		size = size<<4 | int64(d)
	}
	if digits == 0 {
		return 0, nil, ErrNoSize
	}
	return size, head[digits:], nil
}

func hexDigit(c byte) (value byte, ok bool) {
	if '0' <= c && c <= '9' {
		return c - '0', true
	}
	c |= 'a' - 'A'
	return c - 'a' + 10, 'a' <= c && c <= 'f'
}
