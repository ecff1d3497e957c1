package edge

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/reload"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

// Config is what an operator can set of an Edge.
type Config struct {
	TLSCertFile, TLSKeyFile string   // PEM; both or neither
	ProxyProtocol           bool     // take the client's address from a PROXY header of a trusted proxy
	TrustedProxies          []string // addresses and networks whose word about clients is taken
	CORSOrigins             []string // of pages that may call
}

// Edge is what a connection and a request pass before the routes: encryption, proxies in front, the log, other origins.
type Edge struct {
	cfg         Config
	trusted     Networks
	certificate *Certificate // nil without TLS
	watcher     *reload.Watcher
}

// New reads the certificate, where there is one.
func New(cfg Config) (*Edge, error) {
	e := &Edge{cfg: cfg}
	var err error
	if e.trusted, err = ParseNetworks(cfg.TrustedProxies); err != nil || cfg.TLSCertFile == "" {
		return e, err
	}
	e.certificate = NewCertificate(cfg.TLSCertFile, cfg.TLSKeyFile)
	e.watcher, err = reload.New(e.certificate.Load, e.certificate.Files()...)
	return e, err
}

// Wrap is the way of a request to the routes.
func (e *Edge) Wrap(log *zap.Logger, routes http.Handler) http.Handler {
	h := web.Logged(log, CORS(e.cfg.CORSOrigins, routes))
	if len(e.trusted) == 0 {
		return h // nobody's word is taken
	}
	return e.trusted.Clients(h)
}

// Listen is the way of a connection to the server.
func (e *Edge) Listen(ln net.Listener) net.Listener {
	if e.cfg.ProxyProtocol {
		return e.trusted.ProxyProtocol(ln)
	}
	return ln
}

// TLS is the configuration of the server, nil for plain text.
func (e *Edge) TLS() *tls.Config {
	if e.certificate == nil {
		return nil
	}
	return e.certificate.TLS()
}

// Watch loads the certificate anew whenever its files change, until ctx ends.
func (e *Edge) Watch(ctx context.Context, log *zap.Logger, failed func()) {
	if e.certificate == nil {
		return
	}
	e.watcher.Run(ctx, reload.Every, func(err error) {
		if err != nil {
			failed()
			log.Error("certificate refused; the one before stays in use", zap.Error(err))
			return
		}
		log.Info("certificate loaded", zap.Time("expires", e.certificate.Expires()))
	})
}

// SchemeOf is by what the client has asked. A header that tells it comes from a trusted proxy, or is that of the client and
// not believed.
func (e *Edge) SchemeOf(r *http.Request) string {
	switch {
	case len(e.trusted) > 0:
		return r.Header.Get("X-Forwarded-Proto")
	case r.TLS != nil:
		return "https"
	}
	return "http"
}
