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

// Config is what an operator can set of a Skin.
type Config struct {
	TLSCertFile, TLSKeyFile string   // PEM; both or neither
	ProxyProtocol           bool     // take the client's address from a PROXY header of a trusted proxy
	TrustedProxies          []string // addresses and networks whose word about clients is taken
	CORSOrigins             []string // of pages that may call
}

// Skin is what a connection and a request pass before the routes: encryption, proxies in front, the log, other origins.
type Skin struct {
	cfg         Config
	trusted     Networks
	certificate *Certificate // nil without TLS
	watcher     *reload.Watcher
}

// NewSkin reads the certificate, where there is one.
func NewSkin(cfg Config) (*Skin, error) {
	s := &Skin{cfg: cfg}
	var err error
	if s.trusted, err = ParseNetworks(cfg.TrustedProxies); err != nil || cfg.TLSCertFile == "" {
		return s, err
	}
	s.certificate = NewCertificate(cfg.TLSCertFile, cfg.TLSKeyFile)
	s.watcher, err = reload.New(s.certificate.Load, s.certificate.Files()...)
	return s, err
}

// Wrap is the way of a request to the routes.
func (s *Skin) Wrap(log *zap.Logger, routes http.Handler) http.Handler {
	h := web.Logged(log, CORS(s.cfg.CORSOrigins, routes))
	if len(s.trusted) == 0 {
		return h // nobody's word is taken
	}
	return s.trusted.Clients(h)
}

// Listen is the way of a connection to the server.
func (s *Skin) Listen(ln net.Listener) net.Listener {
	if s.cfg.ProxyProtocol {
		return s.trusted.ProxyProtocol(ln)
	}
	return ln
}

// TLS is the configuration of the server, nil for plain text.
func (s *Skin) TLS() *tls.Config {
	if s.certificate == nil {
		return nil
	}
	return s.certificate.TLS()
}

// Watch loads the certificate anew whenever its files change, until ctx ends.
func (s *Skin) Watch(ctx context.Context, log *zap.Logger, failed func()) {
	if s.certificate == nil {
		return
	}
	s.watcher.Run(ctx, reload.Every, func(err error) {
		if err != nil {
			failed()
			log.Error("certificate refused; the one before stays in use", zap.Error(err))
			return
		}
		log.Info("certificate loaded", zap.Time("expires", s.certificate.Expires()))
	})
}

// SchemeOf is by what the client has asked. A header that tells it comes from a trusted proxy, or is that of the client and
// not believed.
func (s *Skin) SchemeOf(r *http.Request) string {
	switch {
	case len(s.trusted) > 0:
		return r.Header.Get("X-Forwarded-Proto")
	case r.TLS != nil:
		return "https"
	}
	return "http"
}
