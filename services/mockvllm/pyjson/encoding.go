package pyjson

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// text decodes the bytes of a document as json.loads does: by its byte order mark, else by where its first four bytes are
// zero. The error is an encodingError.
func text(b []byte) (string, error) {
	switch {
	case bytes.HasPrefix(b, []byte{0, 0, 0xfe, 0xff}):
		return utf32(b, 4, binary.BigEndian)
	case bytes.HasPrefix(b, []byte{0xff, 0xfe, 0, 0}):
		return utf32(b, 4, binary.LittleEndian)
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		return utf16text(b, 2, binary.BigEndian)
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		return utf16text(b, 2, binary.LittleEndian)
	case bytes.HasPrefix(b, []byte("\ufeff")):
		b = b[3:]
	case len(b) == 2 && b[0] == 0, len(b) >= 4 && b[0] == 0 && b[1] != 0:
		return utf16text(b, 0, binary.BigEndian)
	case len(b) == 2 && b[1] == 0, len(b) >= 4 && b[0] != 0 && b[1] == 0 && (b[2] != 0 || b[3] != 0):
		return utf16text(b, 0, binary.LittleEndian)
	case len(b) >= 4 && b[0] == 0:
		return utf32(b, 0, binary.BigEndian)
	case len(b) >= 4 && b[1] == 0:
		return utf32(b, 0, binary.LittleEndian)
	}
	doc := unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // see Decode
	if utf8.Valid(b) {
		return doc, nil
	}
	return doc, notUTF8(doc)
}

// encodingError is a document that is in no encoding, which is an ErrUndecodable with Python's words.
type encodingError string

func (e encodingError) Error() string { return string(e) }

func (encodingError) Is(target error) bool { return target == ErrUndecodable }

// undecodable says that the bytes from one to another cannot be decoded.
func undecodable(codec string, doc []byte, from, to int, why string) error {
	where := fmt.Sprintf("byte 0x%02x in position %d", doc[from], from)
	if to-from > 1 {
		where = fmt.Sprintf("bytes in position %d-%d", from, to-1)
	}
	return encodingError(fmt.Sprintf("'%s' codec can't decode %s: %s", codec, where, why))
}

// endian is how Python's names of encodings end.
func endian(order binary.ByteOrder) string {
	if order == binary.BigEndian {
		return "-be"
	}
	return "-le"
}

// utf16text decodes what follows a byte order mark of so many bytes.
func utf16text(doc []byte, mark int, order binary.ByteOrder) (string, error) {
	if len(doc)%2 != 0 {
		return "", undecodable("utf-16"+endian(order), doc, len(doc)-1, len(doc), "truncated data")
	}
	b := doc[mark:]
	out := make([]byte, 0, len(b))
	for ; len(b) > 0; b = b[2:] {
		r := rune(order.Uint16(b))
		if utf16.IsSurrogate(r) && len(b) >= 4 {
			if pair := utf16.DecodeRune(r, rune(order.Uint16(b[2:]))); pair != utf8.RuneError {
				r = pair
				b = b[2:]
			}
		}
		out = appendRune(out, r)
	}
	return string(out), nil
}

// utf32 is utf16text for another encoding.
func utf32(doc []byte, mark int, order binary.ByteOrder) (string, error) {
	codec := "utf-32" + endian(order)
	out := make([]byte, 0, len(doc)/2)
	for at := mark; at < len(doc); at += 4 {
		if len(doc)-at < 4 {
			return "", undecodable(codec, doc, at, len(doc), "truncated data")
		}
		r := order.Uint32(doc[at:])
		if r > utf8.MaxRune {
			return "", undecodable(codec, doc, at, at+4, "code point not in range(0x110000)")
		}
		out = appendRune(out, rune(r))
	}
	return string(out), nil
}

// appendRune appends a character, or half of a pair.
func appendRune(dst []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f) // 16 bits
	}
	return utf8.AppendRune(dst, r)
}

// surrogate reads half of a pair at the beginning of s; 0 if there is none.
func surrogate(s string) rune {
	if len(s) >= 3 && s[0] == 0xed && s[1]&0xe0 == 0xa0 && s[2]&0xc0 == 0x80 {
		return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f)
	}
	return 0
}

// decodeRune reads a character or half of a pair; the size of what is neither is 1.
func decodeRune(s string) (r rune, size int) {
	if r, size = utf8.DecodeRuneInString(s); size == 1 && r == utf8.RuneError {
		if half := surrogate(s); half != 0 {
			return half, 3
		}
	}
	return r, size
}

// notUTF8 finds the first bytes of a document that are neither a character nor half of a pair.
func notUTF8(doc string) error {
	for at := 0; at < len(doc); {
		r, size := decodeRune(doc[at:])
		if r == utf8.RuneError && size == 1 {
			size, why := utf8Fault(doc[at:])
			return undecodable("utf-8", []byte(doc), at, at+size, why)
		}
		at += size
	}
	return nil
}

// utf8Fault tells what is wrong with a text that begins with a bad byte, and how many bytes of it are to blame.
func utf8Fault(text string) (size int, why string) {
	if text[0] < 0xc2 || text[0] > 0xf4 {
		return 1, "invalid start byte"
	}
	size = 1
	for size < len(text) && !utf8.FullRuneInString(text[:size+1]) {
		size++
	}
	if size == len(text) {
		return size, "unexpected end of data"
	}
	return size, "invalid continuation byte"
}

// Runes walks over the characters of a Python string with the bytes where they begin, halves of pairs as what they are.
func Runes(s string) iter.Seq2[int, rune] {
	return func(yield func(int, rune) bool) {
		for at := 0; at < len(s); {
			r, size := decodeRune(s[at:])
			if !yield(at, r) {
				return
			}
			at += size
		}
	}
}

// HasSurrogate tells whether the string holds half of a pair, which Python can neither encode nor tokenize.
func HasSurrogate(s string) bool { return !utf8.ValidString(s) }

// Len is the number of characters, as Python's len counts.
func Len(s string) int {
	n := 0
	for i := range len(s) {
		if s[i]&0xc0 != 0x80 {
			n++
		}
	}
	return n
}
