package edge

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"
	"time"
)

// Certificate is a certificate and its key in PEM files, which may be replaced at any time.
type Certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

// NewCertificate names the files. Nothing is read before Load.
func NewCertificate(certFile, keyFile string) *Certificate {
	return &Certificate{certFile: certFile, keyFile: keyFile}
}

// Files are what Load reads.
func (c *Certificate) Files() []string { return []string{c.certFile, c.keyFile} }

// Load reads the files; connections from then on use what they hold, those that are open stay as they are. After an error
// the certificate of before stays in use.
func (c *Certificate) Load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	if time.Now().After(pair.Leaf.NotAfter) {
		return fmt.Errorf("certificate %s: it expired on %s", c.certFile, pair.Leaf.NotAfter.Format(time.RFC3339))
	}
	c.current.Store(&pair)
	return nil
}

// Expires is when the certificate in use does.
func (c *Certificate) Expires() time.Time { return c.current.Load().Leaf.NotAfter }

// TLS is the configuration of a server. Load has to have succeeded once.
func (c *Certificate) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}
