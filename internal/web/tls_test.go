package web_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/web"
)

// serveTLS is serve with a certificate. It returns the address and what trusts it.
func serveTLS(t *testing.T, s web.Server) (addr string, trust *tls.Config, stop func() <-chan error) {
	t.Helper()
	front := httptest.NewUnstartedServer(nil)
	front.StartTLS()
	defer front.Close()
	s.TLS = &tls.Config{Certificates: front.TLS.Certificates, MinVersion: tls.VersionTLS12}
	url, stop := serve(t, s)
	trust = front.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	return strings.TrimPrefix(url, "http://"), trust, stop
}

// TestEncryptedRequestsAreReadAsStrictly: what is refused in plain text is refused under TLS, in the API's form, and what was asked over
// TLS says so.
func TestEncryptedRequestsAreReadAsStrictly(t *testing.T) {
	addr, trust, _ := serveTLS(t, web.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%t %s", r.TLS != nil && r.TLS.HandshakeComplete, body)
	})})
	say := func(text string) string {
		t.Helper()
		conn, err := tls.Dial("tcp", addr, trust)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		return string(got)
	}
	const post = "POST / HTTP/1.1\r\nHost: x\r\n"
	for name, text := range map[string]string{
		"length and chunks": post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":       post + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
		"a bare line feed":  post + "X-A: b\nContent-Length: 0\r\n\r\n",
		"another host":      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		"a large header":    "GET / HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("x", 80<<10) + "\r\n\r\n",
		"an expectation":    post + "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n",
	} {
		if got := say(text); !strings.HasPrefix(got, "HTTP/1.1 4") || !strings.Contains(got, `"code":"malformed_request"`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	two := say(post + "Content-Length: 2\r\n\r\nhi" + post + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nho\r\n0\r\n\r\n")
	if strings.Count(two, "HTTP/1.1 200 OK\r\n") != 2 || !strings.Contains(two, "true hi") || !strings.HasSuffix(two, "true ho") {
		t.Errorf("two requests: %s", two)
	}

	plain, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := io.WriteString(plain, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(plain); !strings.HasPrefix(string(got), "HTTP/1.1 400 ") || !strings.Contains(string(got), "https://") {
		t.Errorf("plain text: %s", got)
	}

	transport := &http.Transport{TLSClientConfig: trust, Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP2(true)
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Post("https://"+addr, "text/plain", strings.NewReader("h2"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, _ := io.ReadAll(resp.Body); resp.ProtoMajor != 2 || string(got) != "true h2" {
		t.Errorf("%s %s", resp.Proto, got)
	}
}

// TestEncryptedClientLeaves: the watcher sees it below the encryption. And an answer that breaks off is not ended in peace.
func TestEncryptedClientLeaves(t *testing.T) {
	inSomeTry(t, func() error { return encryptedClientLeaves(t) })
}

func encryptedClientLeaves(t *testing.T) error {
	t.Helper()
	arrived, left := make(chan struct{}), make(chan struct{})
	addr, trust, stop := serveTLS(t, web.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/torn" {
			_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
			panic(http.ErrAbortHandler)
		}
		close(arrived)
		<-r.Context().Done()
		close(left)
	})})
	ask := func(text string) *tls.Conn {
		conn, err := tls.Dial("tcp", addr, trust)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	conn := ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-arrived
	conn.Close()
	<-left
	torn := ask("GET /torn HTTP/1.0\r\n\r\n")
	defer torn.Close()
	if got, err := io.ReadAll(torn); err == nil {
		t.Errorf("%d bytes look like the whole answer", len(got))
	}
	idle := ask("")
	defer idle.Close()
	return ended(t, stop())
}
