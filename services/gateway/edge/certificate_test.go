package edge_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/edge"
)

// pair writes a certificate of the given name and its key.
func pair(t *testing.T, certFile, keyFile, name string, until time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-48 * time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificateIsReplaced(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	tomorrow := time.Now().Add(24 * time.Hour)
	pair(t, certFile, keyFile, "first", tomorrow)
	c := edge.NewCertificate(certFile, keyFile)
	if err := c.Load(); err != nil {
		t.Fatal(err)
	}
	addr := serve(t, web.Server{TLS: c.TLS(), Handler: http.HandlerFunc(who)}, plain)
	dial := func() *http.Client {
		tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
		t.Cleanup(tr.CloseIdleConnections)
		return &http.Client{Transport: tr}
	}
	expect := func(client *http.Client, name string) {
		t.Helper()
		resp, err := client.Get("https://" + addr)
		if err != nil {
			t.Error(err)
			return
		}
		resp.Body.Close()
		if got := resp.TLS.PeerCertificates[0].Subject.CommonName; got != name || resp.ProtoMajor != 2 {
			t.Errorf("a connection of %s with the certificate %q, want HTTP/2 and %q", resp.Proto, got, name)
		}
	}
	refused := func(want string) {
		t.Helper()
		if err := c.Load(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), certFile) {
			t.Errorf("loading gave %v, want %q", err, want)
		}
		expect(dial(), "first")
	}
	kept := dial()
	expect(kept, "first")

	pair(t, certFile, filepath.Join(dir, "other.key"), "second", tomorrow)
	refused("private key does not match")
	pair(t, certFile, keyFile, "second", time.Now().Add(-time.Hour))
	refused("expired on")
	if err := os.WriteFile(certFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("failed to find any PEM data")
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	refused("no such file")

	pair(t, certFile, keyFile, "second", tomorrow)
	if err := c.Load(); err != nil {
		t.Fatal(err)
	}
	expect(dial(), "second")
	expect(kept, "first")
	if c.Expires().Before(time.Now()) {
		t.Errorf("expires %s", c.Expires())
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	pair(t, certFile, keyFile, "first", time.Now().Add(time.Hour))
	c := edge.NewCertificate(certFile, keyFile)
	if err := c.Load(); err != nil {
		t.Fatal(err)
	}
	addr := serve(t, web.Server{TLS: c.TLS(), Handler: http.HandlerFunc(who)}, networks(t, "127.0.0.1").ProxyProtocol)
	for version, works := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if (err == nil) != works {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			conn.Close()
		}
	}
}
