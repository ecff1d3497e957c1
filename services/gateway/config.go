package gateway

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/edge"
)

// Config is what an operator can set. The environment names a field GATEWAY_ADDR, GATEWAY_SUPERVISOR_URL and so on.
type Config struct {
	Addr             string        `split_words:"true"` // listen address
	SupervisorURL    string        `split_words:"true"` // base URL of the supervisor
	SupervisorToken  string        `split_words:"true"` // sent to the supervisor; empty when it asks for none
	LogLevel         string        `split_words:"true"` // debug, info, warn or error
	ConnectTimeout   time.Duration `split_words:"true"` // to connect to a backend
	FirstByteTimeout time.Duration `split_words:"true"` // from sending a request to the answer, or to a stream's first event
	IdleTimeout      time.Duration `split_words:"true"` // between two pieces of an answer
	TotalTimeout     time.Duration `split_words:"true"` // of one attempt; 0 means none
	MaxBodyBytes     int64         `split_words:"true"` // of a request; a larger one gets a 413
	MaxBufferedBytes int64         `split_words:"true"` // of all large requests that are in memory; above it they get a 503. Large answers take up to half of it
	Retries          int           `split_words:"true"` // attempts on other backends after the first
	DrainTimeout     time.Duration `split_words:"true"` // for requests in flight when the gateway is asked to stop
	ProbeInterval    time.Duration `split_words:"true"` // between two health checks of a backend

	StopGrace      time.Duration `split_words:"true"` // when asked to stop, how long new requests are still served while /ready fails
	TLSCertFile    string        `split_words:"true"` // certificate in PEM; with the key, HTTPS is served. Both are loaded again when they change
	TLSKeyFile     string        `split_words:"true"` // its key in PEM
	ProxyProtocol  bool          `split_words:"true"` // take the client's address from a PROXY header of a trusted proxy
	TrustedProxies []string      `split_words:"true"` // addresses and networks whose word about clients is taken
	CORSOrigins    []string      `split_words:"true"` // of pages that may call the gateway

	ListLoading       bool          `split_words:"true"` // models that cannot answer now are listed, with their phase
	KeysFile          string        `split_words:"true"` // of API keys; empty lets everyone in
	AllowOpen         bool          `split_words:"true"` // to listen beyond loopback without keys
	QueueSize         int           `split_words:"true"` // requests that wait for their turn at a model
	QueueTimeout      time.Duration `split_words:"true"` // the longest wait
	LoadTimeout       time.Duration `split_words:"true"` // the longest wait for a model that is loading, where a request may wait for it
	KeepAliveInterval time.Duration `split_words:"true"` // between two comments to a client that waits and wants to hear
}

// Default returns the settings that need no thought.
func Default() Config {
	return Config{
		Addr:             "127.0.0.1:8099",
		SupervisorURL:    "http://127.0.0.1:8098",
		LogLevel:         "info",
		ConnectTimeout:   2 * time.Second,
		FirstByteTimeout: 300 * time.Second,
		IdleTimeout:      60 * time.Second,
		MaxBodyBytes:     32 << 20,
		MaxBufferedBytes: 256 << 20,
		Retries:          2,
		DrainTimeout:     120 * time.Second,
		ProbeInterval:    5 * time.Second,

		ListLoading:       true,
		QueueSize:         1000,
		QueueTimeout:      30 * time.Second,
		LoadTimeout:       5 * time.Minute, // OpenAI's SDKs give up after ten
		KeepAliveInterval: 10 * time.Second,
	}
}

// Validate reports every fault at once, by the names that the environment has for them.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("GATEWAY_"+format, args...)) }
	if base, err := url.Parse(c.SupervisorURL); err == nil && base.User != nil {
		fault("SUPERVISOR_URL has a name or a password in it, which would be logged: give the token in GATEWAY_SUPERVISOR_TOKEN")
	} else if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		fault("SUPERVISOR_URL %q: use http://host:port", c.SupervisorURL)
	}
	if _, err := zapcore.ParseLevel(c.LogLevel); err != nil {
		fault("LOG_LEVEL %q: use debug, info, warn or error", c.LogLevel)
	}
	for _, limit := range []struct {
		name string
		time time.Duration
		zero bool // may be 0
	}{
		{"CONNECT_TIMEOUT", c.ConnectTimeout, false}, {"FIRST_BYTE_TIMEOUT", c.FirstByteTimeout, false}, {"IDLE_TIMEOUT", c.IdleTimeout, false},
		{"TOTAL_TIMEOUT", c.TotalTimeout, true}, {"DRAIN_TIMEOUT", c.DrainTimeout, true}, {"STOP_GRACE", c.StopGrace, true},
		{"PROBE_INTERVAL", c.ProbeInterval, false}, {"QUEUE_TIMEOUT", c.QueueTimeout, false},
		{"LOAD_TIMEOUT", c.LoadTimeout, false}, {"KEEP_ALIVE_INTERVAL", c.KeepAliveInterval, false},
	} {
		switch {
		case limit.time < 0 && limit.zero:
			fault("%s %s: must not be negative", limit.name, limit.time)
		case limit.time <= 0 && !limit.zero:
			fault("%s %s: must be positive", limit.name, limit.time)
		}
	}
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		fault("TLS_CERT_FILE %q, GATEWAY_TLS_KEY_FILE %q: name both or neither", c.TLSCertFile, c.TLSKeyFile)
	}
	if c.ProxyProtocol && len(c.TrustedProxies) == 0 {
		fault("PROXY_PROTOCOL: say in GATEWAY_TRUSTED_PROXIES whose headers are believed")
	}
	if _, err := edge.ParseNetworks(c.TrustedProxies); err != nil {
		fault("TRUSTED_PROXIES: %w", err)
	}
	if err := edge.CheckOrigins(c.CORSOrigins); err != nil {
		fault("CORS_ORIGINS: %w", err)
	}
	if c.MaxBodyBytes <= 0 {
		fault("MAX_BODY_BYTES %d: must be positive", c.MaxBodyBytes)
	}
	if c.MaxBufferedBytes < c.MaxBodyBytes {
		fault("MAX_BUFFERED_BYTES %d: must not be less than one request may have, %d (GATEWAY_MAX_BODY_BYTES)", c.MaxBufferedBytes, c.MaxBodyBytes)
	}
	if c.Retries < 0 {
		fault("RETRIES %d: must not be negative", c.Retries)
	}
	if c.QueueSize < 0 {
		fault("QUEUE_SIZE %d: must not be negative", c.QueueSize)
	}
	if c.KeysFile == "" && !c.AllowOpen && !web.OnLoopback(c.Addr) {
		fault("ADDR %s: everyone who reaches it could use the models; name a file of keys in GATEWAY_KEYS_FILE or by fluidmcp run --keys "+
			"(fluidmcp keys new makes one), listen on 127.0.0.1, or say GATEWAY_ALLOW_OPEN=true or --allow-open", c.Addr)
	}
	return errors.Join(faults...)
}
