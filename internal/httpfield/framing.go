package httpfield

// Framing are the values of the fields that say where a message ends (RFC 9112, section 6) and whether its connection outlives it.
type Framing struct{ Connection, Codings, Lengths []string }

// Note remembers the values of a field, if they are. name is canonical.
func (f *Framing) Note(name string, values []string) {
	switch name {
	case "Connection":
		f.Connection = values
	case "Transfer-Encoding":
		f.Codings = values
	case "Content-Length":
		f.Lengths = values
	}
}
