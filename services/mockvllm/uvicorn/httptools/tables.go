package httptools

import "strings"

// methods are those that httptools knows of HTTP. PRI, the beginning of HTTP/2, is not among them.
var methods = func() map[string]string {
	m := make(map[string]string)
	for name := range strings.FieldsSeq(`DELETE GET HEAD POST PUT CONNECT OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH
		UNLOCK BIND REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PATCH PURGE MKCALENDAR
		LINK UNLINK SOURCE QUERY`) {
		m[name] = name
	}
	return m
}()

func beginsMethod(b []byte) bool {
	for name := range methods {
		if len(b) <= len(name) && name[:len(b)] == string(b) {
			return true
		}
	}
	return false
}

// Classes of bytes, as bits.
const (
	inTargetChar   = 1 << iota // visible ASCII
	inNameChar                 // RFC 9110's tchar
	inValueChar                // tab, visible, and what is not ASCII
	inHostChar                 // of a name or an IPv4 address
	inUserinfoChar             // before the @ of an authority
	inHexChar
)

var classes = func() (table [256]byte) {
	for i := range table {
		b := byte(i)
		if b > ' ' && b < 0x7f {
			table[i] |= inTargetChar
		}
		if b == '\t' || b >= ' ' && b != 0x7f {
			table[i] |= inValueChar
		}
		alnum := b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
		mark := func(class byte, chars string) {
			if alnum || strings.IndexByte(chars, b) >= 0 {
				table[i] |= class
			}
		}
		mark(inNameChar, "!#$%&'*+-.^_`|~")
		mark(inHostChar, ".-")
		mark(inUserinfoChar, "-_.!~*'()%;:&=+$,")
		if b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F' {
			table[i] |= inHexChar
		}
	}
	return table
}()

func all(b []byte, class byte) bool {
	for _, c := range b {
		if classes[c]&class == 0 {
			return false
		}
	}
	return true
}
