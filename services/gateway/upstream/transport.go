package upstream

import (
	"net"
	"net/http"
	"time"
)

const (
	// idleConn is how long an unused connection is kept. vLLM closes one after exactly 5.0 s, without a word.
	idleConn = 4 * time.Second
	// idlePerHost is enough for every connection of a busy backend to be used again.
	idlePerHost = 1024
)

// NewTransport returns a transport to model servers. They are named by the operator and near, so no proxy of the
// environment stands between. Compression stays off: frames must be readable as they come.
func NewTransport(connectTimeout time.Duration) *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: connectTimeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: connectTimeout,
		IdleConnTimeout:     idleConn,
		MaxIdleConnsPerHost: idlePerHost,
		DisableCompression:  true,
	}
}
