package hangup

// Conn is a connection that is watched.
type Conn interface {
	// HungUp is called when the client sends no more: it has closed its sending half, or all of the connection, or that was
	// reset. What came before may still have to be read. It may be called again, and must not wait for long: all others wait
	// meanwhile.
	HungUp(reset bool)
}
