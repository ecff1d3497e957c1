package head

import (
	"net/http"
	"sync/atomic"
	"time"
)

// second is a moment and its text, which many answers share.
type second struct {
	unix int64
	text string
}

var now atomic.Pointer[second]

func date() string {
	t := time.Now()
	if s := now.Load(); s != nil && s.unix == t.Unix() {
		return s.text
	}
	s := &second{t.Unix(), t.UTC().Format(http.TimeFormat)}
	now.Store(s)
	return s.text
}
