package uvicorn

import "net/http"

// Later has f complete the answer once the handler has returned, on a small stack of its own: what a handler has called and
// holds is then not in memory while f waits. It is for the last act of a handler. A middleware with something to do after the
// answer passes a Whole on. Where w is not of this server, f is called at once.
func Later(w http.ResponseWriter, f func()) {
	switch w := w.(type) {
	case interface{ Later(f func()) }:
		w.Later(f)
	case interface{ Unwrap() http.ResponseWriter }:
		Later(w.Unwrap(), f)
	default:
		f()
	}
}

// Later is for the function Later.
func (w *response) Later(f func()) { w.exchange.later = f }

// Whole is the http.ResponseWriter of a middleware that has something to do when an answer is over, whether its handler completes it
// or leaves that for Later.
type Whole struct {
	http.ResponseWriter
	Ender Ender

	later bool // the end does not come with the return of the handler
}

// Ender is told once when an answer is over. panics: the handler has broken it off.
type Ender interface{ Over(panics bool) }

// Answer calls f, which is to call the handler, and tells the Ender when the answer is over.
func (w *Whole) Answer(f func()) {
	panics := true
	defer func() {
		if !w.later {
			w.Ender.Over(panics)
		}
	}()
	f()
	panics = false
}

// Later is for the function Later.
func (w *Whole) Later(f func()) {
	w.later = true
	Later(w.ResponseWriter, func() {
		panics := true
		defer func() { w.Ender.Over(panics) }()
		f()
		panics = false
	})
}

// Unwrap lets http.ResponseController reach the connection.
func (w *Whole) Unwrap() http.ResponseWriter { return w.ResponseWriter }
