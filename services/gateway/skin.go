package gateway

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/reload"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/edge"
)

// skin is what a connection and a request pass before the routes: encryption, proxies in front, the log, other origins.
type skin struct {
	cfg         Config
	trusted     edge.Networks
	certificate *edge.Certificate // nil without TLS
	watcher     *reload.Watcher
}

func newSkin(cfg Config) (*skin, error) {
	s := &skin{cfg: cfg}
	var err error
	if s.trusted, err = edge.ParseNetworks(cfg.TrustedProxies); err != nil || cfg.TLSCertFile == "" {
		return s, err
	}
	s.certificate = edge.NewCertificate(cfg.TLSCertFile, cfg.TLSKeyFile)
	s.watcher, err = reload.New(s.certificate.Load, s.certificate.Files()...)
	return s, err
}

// wrap is the way of a request to the routes.
func (s *skin) wrap(log *zap.Logger, routes http.Handler) http.Handler {
	h := web.Logged(log, edge.CORS(s.cfg.CORSOrigins, routes))
	if len(s.trusted) == 0 {
		return h // nobody's word is taken
	}
	return s.trusted.Clients(h)
}

// listen is the way of a connection to the server.
func (s *skin) listen(ln net.Listener) net.Listener {
	if s.cfg.ProxyProtocol {
		return s.trusted.ProxyProtocol(ln)
	}
	return ln
}

func (s *skin) tls() *tls.Config {
	if s.certificate == nil {
		return nil
	}
	return s.certificate.TLS()
}

// watch loads the certificate anew whenever its files change, until ctx ends.
func (s *skin) watch(ctx context.Context, log *zap.Logger, failed func()) {
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

// schemeOf is by what the client has asked. A header that tells it comes from a trusted proxy, or is that of the client and
// not believed.
func (s *skin) schemeOf(r *http.Request) string {
	switch {
	case len(s.trusted) > 0:
		return r.Header.Get("X-Forwarded-Proto")
	case r.TLS != nil:
		return "https"
	}
	return "http"
}
