package gateway_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway"
	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
)

// keyFile writes a file of keys. Each line is an id and what else its entry has; the secret is the id and "-secret".
func keyFile(t *testing.T, path string, entries ...string) func(*gateway.Config) {
	t.Helper()
	text := "keys:\n"
	for _, e := range entries {
		id, rest, _ := strings.Cut(e, " ")
		text += fmt.Sprintf("  - {id: %s, hash: %q%s}\n", id, keys.Hash(id+"-secret"), rest)
	}
	if len(entries) == 0 {
		text = "keys: []\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(c *gateway.Config) { c.KeysFile = path }
}

func bearer(id string) []string { return []string{"Authorization", "Bearer " + id + "-secret"} }

func TestKeys(t *testing.T) {
	b := newBackend(t, vllm)
	file := filepath.Join(t.TempDir(), "keys.yaml")
	f := start(t, keyFile(t, file, "user", "boss , scopes: [admin]", "narrow , models: [n]", "old , disabled: true"), model("m", b.URL), model("n", b.URL))
	ask := func(method, path, body string, status int, code string, header ...string) {
		t.Helper()
		a := f.do(method, path, body, header...)
		if a.status != status || code != "" && a.code() != code || (status == 401) != (a.header.Get("Www-Authenticate") == "Bearer") {
			t.Errorf("%s %s with %v = %d %v %s; want %d %s", method, path, header, a.status, a.header, a.body, status, code)
		}
	}
	const chat = "/llm/m/chat/completions"
	ask("POST", chat, hello, 401, "missing_api_key")
	ask("POST", chat, hello, 401, "invalid_api_key", bearer("nobody")...)
	ask("POST", chat, hello, 401, "invalid_api_key", bearer("old")...)
	ask("GET", "/v1/models", "", 401, "missing_api_key")
	ask("GET", "/nowhere", "", 401, "missing_api_key")
	ask("POST", chat, hello, 403, "insufficient_scope", bearer("boss")...)
	ask("POST", chat, hello, 404, "model_not_found", bearer("narrow")...)
	if n := len(b.requests()); n != 0 {
		t.Fatalf("%d of them reached the backend", n)
	}
	ask("POST", chat, hello, 200, "", bearer("user")...)
	ask("POST", chat, hello, 200, "", "X-Api-Key", "user-secret")
	ask("POST", "/v1/chat/completions", hello, 200, "", bearer("narrow")...) // the only model that it has
	ask("POST", "/v2/embed", `{"model":"m","texts":["x"]}`, 200, "", bearer("user")...)
	for _, path := range []string{"sleep", "wake_up", "metrics", "mock/faults", "v1/load_lora_adapter", "v1/unload_lora_adapter",
		"v1/load%5Flora_adapter", "v1/../sleep", "v1//x", "v1/chat/completions/", "", "health"} {
		ask("POST", "/llm/m/"+path, hello, 403, "insufficient_scope", bearer("user")...)
	}
	before := len(b.requests())
	ask("POST", "/llm/m/sleep", `{"level":1}`, 200, "", bearer("boss")...)
	ask("POST", "/llm/m/sleep", `{"level":1}`, 403, "cross_origin", append(bearer("boss"), "Sec-Fetch-Site", "cross-site")...)
	ask("GET", "/api/llm/status", "", 401, "missing_api_key")
	ask("GET", "/api/llm/status", "", 403, "insufficient_scope", bearer("user")...)
	if a := f.do("GET", "/api/llm/status", "", append(bearer("boss"), fleet.KeyHeader, "somebody")...); a.status == 401 || a.status == 403 {
		t.Errorf("management = %d %s", a.status, a.body)
	}
	f.supervisor.mu.Lock()
	if got := f.managed[len(f.managed)-1].Header[fleet.KeyHeader]; !slices.Equal(got, []string{"boss"}) {
		t.Errorf("the supervisor is told of the key %q", got)
	}
	f.supervisor.mu.Unlock()
	if n := len(b.requests()); n != before+1 || b.last().URL.Path != "/sleep" || b.last().Header.Get("Authorization") != "" {
		t.Errorf("%d requests reached the backend, the last is %v", n-before, b.last())
	}
	if a := f.do("GET", "/v1/models", "", bearer("narrow")...); !strings.Contains(a.body, `"n"`) || strings.Contains(a.body, `"m"`) {
		t.Errorf("models of a key: %s", a.body)
	}
	f.awaitMetric(`fluidmcp_errors_total{model="unknown",reason="auth"}`, 5)

	// A changed file counts, a broken one does not.
	keyFile(t, file, "other")
	await(t, "the new key", func() bool { return f.do("POST", chat, hello, bearer("other")...).status == 200 })
	ask("POST", chat, hello, 401, "invalid_api_key", bearer("user")...)
	if err := os.WriteFile(file, []byte("keys: {"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.awaitMetric(`fluidmcp_reload_failures_total{file="keys"}`, 1)
	ask("POST", chat, hello, 200, "", bearer("other")...)
	if logs := f.logs.String(); strings.Contains(logs, "secret") || strings.Contains(logs, "sha256:") || !strings.Contains(logs, `"key":"other"`) {
		t.Errorf("the log has a secret, or no id of a key: %s", logs)
	}
}

// TestKeyForNoModel: what a key is for and nobody has declared is told of, and once.
func TestKeyForNoModel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.yaml")
	m := model("m", newBackend(t, vllm).URL)
	m.Aliases = []string{"short"}
	f := start(t, keyFile(t, file, "all", "well , models: [m, short]", "typed , models: [m, mm, m-served]"), m)
	told := func(id, models string) int {
		return strings.Count(f.logs.String(), `named by id or alias","key":"`+id+`","models":[`+models+`]`)
	}
	if n := told("typed", `"mm","m-served"`); n != 1 {
		t.Errorf("told %d times: %s", n, f.logs)
	}
	f.deploy(m)
	f.deploy(m, model("mm"))
	if all, rest := told("typed", `"mm","m-served"`), told("typed", `"m-served"`); all != 1 || rest != 1 {
		t.Errorf("told %d and %d times: %s", all, rest, f.logs)
	}
	keyFile(t, file, "other , models: [none]")
	await(t, "the new file", func() bool { return told("other", `"none"`) == 1 })
	if told("well", "") != 0 || strings.Count(f.logs.String(), "named by id or alias") != 3 {
		t.Errorf("the log: %s", f.logs)
	}
}

// TestKeysOfAnyForm: whatever a client sends as its key is not told again, wherever else it stands, and goes to no backend.
func TestKeysOfAnyForm(t *testing.T) {
	const secret = "Zq7.any_form-of+key/at=all"
	b := newBackend(t, vllm)
	f := start(t, nil, model("m", b.URL), model("n", b.URL))
	in := url.PathEscape(secret)
	var said strings.Builder
	for _, header := range [][]string{{"Authorization", "Bearer " + secret}, {"Authorization", secret}, {"X-Api-Key", secret}, {"Api-Key", secret}, {"Proxy-Authorization", "Basic " + secret}} {
		for _, at := range [][2]string{{"/llm/m/chat/completions?api_key=" + in, hello}, {"/llm/" + in + "/chat/completions", hello}, {"/v1/chat/completions", `{"model":"` + secret + `"}`},
			{"/v1/models/" + in, ""}, {"/" + in, ""}, {"/v1/chat/completions", `{"` + secret + `":`}} {
			for _, place := range []string{"X-Request-Id", "X-Request-Timeout", "X-Fluidmcp-Priority", "Content-Type"} {
				a := f.do("POST", at[0], at[1], append(header, place, secret)...)
				fmt.Fprintln(&said, a.status, a.header, a.body)
			}
		}
		fmt.Fprintln(&said, f.do("POST", "/llm/m/v1/completions?key="+in, hello, header...))
	}
	fmt.Fprintln(&said, f.do("GET", "/llm/"+in+"/chat/completions?access_token="+in, "")) // and nowhere else
	if n := len(b.requests()); n == 0 {
		t.Error("nothing came through")
	}
	for _, r := range b.requests() {
		fmt.Fprintln(&said, r.URL, r.Header.Get("X-Request-Id"))
	}
	for where, text := range map[string]string{"log": f.logs.String(), "metrics": f.do("GET", "/metrics", "").body, "answers": said.String()} {
		for line := range strings.Lines(text) {
			if strings.Contains(line, secret[:8]) {
				t.Errorf("the key is in the %s: %s", where, line)
			}
		}
	}
}

// TestForeignHost: a page whose name was made to lead to 127.0.0.1 reaches an open gateway, and to its browser that is the page's own
// origin. It may neither manage the machine's models nor use them.
func TestForeignHost(t *testing.T) {
	b := newBackend(t, vllm)
	page := func(f *front, method, path string) answer {
		t.Helper()
		return f.do(method, path, hello, "Host", "evil.example:8099", "Origin", "http://evil.example:8099", "Sec-Fetch-Site", "same-origin")
	}
	open := start(t, nil, model("m", b.URL))
	for _, request := range [][2]string{{"POST", "/api/llm/models/m/stop"}, {"GET", "/api/llm/models/m/logs"}, {"POST", "/llm/m/sleep"}} {
		if a := page(open, request[0], request[1]); a.status != 403 || a.code() != "cross_origin" || !strings.Contains(a.body, "evil.example") {
			t.Errorf("%s: %d %s", request, a.status, a.body)
		}
		if a := open.do(request[0], request[1], hello, "Host", "localhost:8099"); a.status == 403 {
			t.Errorf("%s as localhost: %d %s", request, a.status, a.body)
		}
	}
	if n := len(b.requests()); n != 1 {
		t.Errorf("%d requests came through to the server, want the one as localhost", n)
	}
	if a := page(open, "POST", "/llm/m/chat/completions"); a.status != 403 || a.code() != "cross_origin" {
		t.Errorf("inference: %d %s", a.status, a.body)
	}
	for _, path := range []string{"/llm/m/chat/completions", "/llm/m/sleep"} {
		if a := open.do("POST", path, hello, "Host", "llm.example"); a.status != 200 {
			t.Errorf("a program, by a proxy that keeps the name, %s: %d %s", path, a.status, a.body)
		}
	}
	shared := start(t, func(c *gateway.Config) { c.Addr, c.AllowOpen = ":8099", true }, model("m", b.URL))
	if a := page(shared, "POST", "/api/llm/models/m/stop"); a.status != 200 { // whoever reaches it may, by its word
		t.Errorf("open to the network: %d %s", a.status, a.body)
	}
}

// TestOpenGateways: without keys everyone may ask, so only programs of this machine may reach it.
func TestOpenGateways(t *testing.T) {
	f := func(addr string, allow, want bool) {
		t.Helper()
		cfg := gateway.Default()
		cfg.Addr, cfg.AllowOpen = addr, allow
		if err := cfg.Validate(); (err == nil) != want || err != nil && !strings.Contains(err.Error(), "GATEWAY_KEYS_FILE") {
			t.Errorf("%s, AllowOpen %v: %v", addr, allow, err)
		}
	}
	for _, addr := range []string{"127.0.0.1:8099", "[::1]:8099", "localhost:0", "127.8.8.8:1"} {
		f(addr, false, true)
	}
	for _, addr := range []string{"0.0.0.0:8099", ":8099", "[::]:8099", "10.0.0.1:8099", "example.com:80"} {
		f(addr, false, false)
		f(addr, true, true)
	}
	b := newBackend(t, vllm)
	open := start(t, func(c *gateway.Config) { c.Addr, c.AllowOpen = ":8099", true }, model("m", b.URL))
	if a := open.post("/llm/m/sleep", hello); a.status != 403 || a.code() != "insufficient_scope" || !strings.Contains(a.body, "GATEWAY_KEYS_FILE") {
		t.Errorf("a server's control, open to the network: %d %s", a.status, a.body)
	}
}
