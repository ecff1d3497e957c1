package httptools

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// longestTarget is the bound of httptools, whose offsets have 16 bits.
const longestTarget = 1<<16 - 1

// splitTarget finds path and query: of a path with a slash, of *, or of a URL with an authority and a path. What follows a # is
// nothing to a server.
func splitTarget(buf []byte, target Span) (path, query Span, ok bool) {
	t := buf[target.from:target.to]
	start := 0
	if t[0] != '/' && t[0] != '*' {
		scheme, rest, found := bytes.Cut(t, []byte("://"))
		if !found {
			return path, query, false
		}
		for _, c := range scheme {
			if c|0x20 < 'a' || c|0x20 > 'z' {
				return path, query, false
			}
		}
		slash := bytes.IndexByte(rest, '/')
		if slash < 0 || len(scheme) == 0 || !authority(rest[:slash]) {
			return path, query, false
		}
		start = len(scheme) + len("://") + slash
	}
	end := len(t)
	if i := bytes.IndexByte(t[start:], '#'); i >= 0 {
		end = start + i
	}
	stop := end
	if i := bytes.IndexByte(t[start:end], '?'); i >= 0 {
		stop = start + i
		query = Span{target.from + int32(stop) + 1, target.from + int32(end)}
	}
	return Span{target.from + int32(start), target.from + int32(stop)}, query, len(t) <= longestTarget
}

// authority checks [userinfo@]host[:port].
func authority(a []byte) bool {
	if user, host, found := bytes.Cut(a, []byte("@")); found {
		if !all(user, inUserinfoChar) {
			return false
		}
		a = host
	}
	if len(a) > 0 && a[0] == '[' {
		address, rest, found := bytes.Cut(a[1:], []byte("]"))
		return found && address6(address) && (len(rest) == 0 || port(rest))
	}
	host := a
	if i := bytes.IndexByte(a, ':'); i >= 0 {
		if !port(a[i:]) {
			return false
		}
		host = a[:i]
	}
	return len(host) > 0 && all(host, inHostChar)
}

// address6 checks an IPv6 address, with its zone.
func address6(a []byte) bool {
	address, zone, zoned := bytes.Cut(a, []byte("%"))
	for _, c := range address {
		if classes[c]&inHexChar == 0 && c != ':' && c != '.' {
			return false
		}
	}
	for _, c := range zone {
		if classes[c]&inHostChar == 0 && c != '%' && c != '_' && c != '~' {
			return false
		}
	}
	return len(address) > 0 && (!zoned || len(zone) > 0)
}

// port checks a colon and a number of 16 bits.
func port(p []byte) bool {
	n := 0
	for _, d := range p[1:] {
		if n = n*10 + int(d) - '0'; d < '0' || d > '9' || n > 1<<16-1 {
			return false
		}
	}
	return p[0] == ':' && len(p) > 1
}

// Unquote decodes the escapes of a path as Python's urllib does: those that are none stay, and what is not UTF-8 becomes
// U+FFFD.
func Unquote(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	b := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) && all([]byte(path[i+1:i+3]), inHexChar) {
			b = append(b, digit(path[i+1])<<4|digit(path[i+2]))
			i += 2
			continue
		}
		b = append(b, path[i])
	}
	if utf8.Valid(b) {
		return string(b)
	}
	return replaceInvalid(b)
}

// replaceInvalid writes one U+FFFD for as many bytes as could still have begun a character (Unicode 15, section 3.9, best
// practice), where Go would write one for each.
func replaceInvalid(b []byte) string {
	var s strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			for n < len(b) && !utf8.FullRune(b[:n]) && (n+1 > len(b) || !utf8.FullRune(b[:n+1])) {
				n++
			}
		}
		s.WriteRune(r)
		b = b[n:]
	}
	return s.String()
}

// AppendQuoted writes a decoded path, and its query as it came, as uvicorn's log has them.
func AppendQuoted(b []byte, path, query string) []byte {
	if b = appendEscaped(b, path, "/"); query == "" {
		return b
	}
	return append(append(b, '?'), query...)
}

// Escape writes text by percent signs but for letters, digits, "_.-~" and what is safe, as quote of Python's urllib does. net/url
// leaves more characters as they are.
func Escape(text, safe string) string {
	return string(appendEscaped(make([]byte, 0, len(text)), text, safe))
}

func appendEscaped(b []byte, text, safe string) []byte {
	for i := range len(text) {
		c := text[i]
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("_.-~", c) >= 0 || strings.IndexByte(safe, c) >= 0 {
			b = append(b, c)
			continue
		}
		b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&0xf])
	}
	return b
}

func digit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0xf + 9
}
