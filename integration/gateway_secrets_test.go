package integration

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

// Keys of clients and of model servers and the supervisor's token never come out of a gateway: not in its log at level debug, its
// metrics, its errors or what it tells of the models, wherever a confused client puts its key.
func TestGatewayKeepsSecrets(t *testing.T) {
	t.Parallel()
	const token, backendKey = "the-supervisors-token-5b1f", "the-backends-key-9c2e"
	mock := mockvllmtest.Start(t, mockvllmtest.APIKey(backendKey))
	f := newFeed(t)
	f.token = token
	m := served("m", mock.URL, "http://"+unusedAddr(t))
	for i := range m.Backends {
		m.Backends[i].APIKey = backendKey
	}
	f.publish(t, m)
	path := filepath.Join(t.TempDir(), "keys.yaml")
	key := keyFile(t, path, "someone")[0]
	d := newDoor(t, startFed(t, f, "GATEWAY_LOG_LEVEL=debug", "GATEWAY_KEYS_FILE="+path, "GATEWAY_SUPERVISOR_TOKEN="+token), "HTTP/1.1", nil,
		func(p *http.Protocols) { p.SetHTTP1(true) })

	var said strings.Builder // everything that a client is told
	tell := func(a answer) {
		fmt.Fprintf(&said, "%d %v %s\n", a.status, a.header, a.body)
	}
	ask := func(method, path, body string, header ...string) {
		t.Helper()
		tell(d.ask(t, method, path, body, header...))
	}
	bearer := []string{"Authorization", "Bearer " + key}
	for range 4 { // at both servers of the model
		ask("POST", chatOfM, oneWord, bearer...)
	}
	ask("GET", "/v1/models", "", bearer...)
	ask("GET", "/api/llm/status", "", bearer...)
	wrong, _ := keys.New()
	for _, secret := range []string{key, wrong} {
		with := func(header ...string) { t.Helper(); ask("POST", chatOfM, oneWord, header...) }
		with("Authorization", secret)
		with("Authorization", "Bearer  "+secret)
		with("Authorization", "Bearer "+secret+" ")
		with("Authorization", "bearer\t"+secret)
		with("Authorization", "Basic "+secret)
		with("Authorization", "Bearer "+secret+", Bearer "+secret)
		with("X-Api-Key", secret, "Authorization", "Basic "+secret)
		with("Api-Key", secret)
		with("Cookie", "key="+secret)
		for _, at := range []string{"X-Request-Id", "X-Request-Timeout", "X-Fluidmcp-Priority", "X-Fluidmcp-Backend", "Content-Type", "Traceparent", secret} {
			with(append(bearer, at, secret)...)
			with(at, secret)
		}
		// Where a key has no business.
		in := url.QueryEscape(secret)
		for _, header := range [][]string{nil, bearer} {
			ask("POST", chatOfM+"?api_key="+in, oneWord, header...)
			ask("POST", "/llm/"+in+"/chat/completions", oneWord, header...)
			ask("POST", "/v1/"+in, oneWord, header...)
			ask("GET", "/v1/models/"+in, "", header...)
			ask("GET", "/"+in, "", header...)
			ask("PUT", "/metrics/"+in, "", header...)
			ask("POST", "/v1/chat/completions", `{"model":"`+secret+`"}`, header...)
			ask("POST", "/v1/chat/completions", secret, header...)
			ask("POST", "/v1/chat/completions", `{"model":"m","api_key":"`+secret+`",}`, header...)
			ask("POST", "/v1/chat/completions", `{"model":"m","`+secret+`":1,"messages":`+secret, header...)
			ask("POST", "/v1/messages", `{"model":"`+secret+`"}`, header...)
		}
		for _, text := range []string{
			"GET /" + secret + "\r\n\r\n",
			secret + "\r\n\r\n",
			"GET /health HTTP/1.1\r\nHost: " + secret + "\x01\r\n\r\n",
			"GET /health HTTP/1.1\r\nHost: x\r\nAuthorization Bearer " + secret + "\r\n\r\n",
			"GET /health HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + secret + "\x00\r\n\r\n",
			"GET /health HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer " + secret + "\r\n\r\n",
			"POST " + chatOfM + " HTTP/1.1\r\nHost: x\r\nX-Api-Key: " + secret + "\r\nContent-Length: " + secret + "\r\n\r\n",
			"POST " + chatOfM + " HTTP/1.1\r\nHost: x\r\nX-Api-Key: " + secret + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n",
			"POST " + chatOfM + " HTTP/1.1\r\nHost: x\r\nX-Api-Key: " + secret + "\r\nTransfer-Encoding: " + secret + "\r\n\r\n",
		} {
			conn := d.raw(t, text)
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			answered, _ := io.ReadAll(conn) // a reset is an answer too
			said.Write(answered)
		}
	}
	ask("GET", "/metrics", "")
	ask("GET", "/health", "")
	if n := mock.Stats().Requests; n < 4 {
		t.Errorf("only %d requests came through: %+v", n, mock.Stats())
	}

	// A broken feed and a file that names its keys in plain text are told of too.
	writeFile(t, path, "keys:\n  - {id: plain, hash: "+key+"}\n  - {secret: "+wrong+"}\n")
	d.waitLine(t, "key file refused")
	f.token = "another"
	f.CloseClientConnections()
	d.waitLine(t, "what is known stays in force")

	hash := strings.TrimPrefix(keys.Hash(key), "sha256:")
	for where, text := range map[string]string{"log": d.said(), "answers": said.String()} {
		if len(text) < 1000 {
			t.Errorf("hardly any %s: %s", where, text)
		}
		for name, secret := range map[string]string{"client's key": key, "unknown key": wrong, "backend's key": backendKey, "supervisor's token": token, "key's hash": hash} {
			for line := range strings.Lines(text) {
				if strings.Contains(line, secret) {
					t.Errorf("the %s is in the %s: %s", name, where, line)
				}
			}
		}
	}
}

// unusedAddr is an address on which nobody listens.
func unusedAddr(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
}
