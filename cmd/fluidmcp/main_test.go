package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// What starts processes is tested in integration/, with the real program.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fluidmcp runs the program in this process and returns its exit code and what it printed.
func fluidmcp(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, failed bytes.Buffer
	code = execute(t.Context(), args, &out, &failed)
	return code, out.String(), failed.String()
}

func TestVersion(t *testing.T) {
	code, out, _ := fluidmcp(t, "version", "--json")
	var info map[string]string
	if err := json.Unmarshal([]byte(out), &info); err != nil || code != 0 || info["version"] == "" || info["go"] == "" {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	if code, out, _ := fluidmcp(t, "--version"); code != 0 || out != "fluidmcp "+info["version"]+"\n" {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, out, _ := fluidmcp(t, "version"); code != 0 || !strings.HasPrefix(out, "fluidmcp ") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestSchema(t *testing.T) {
	code, out, _ := fluidmcp(t, "schema")
	var schema struct {
		Schema string                                         `json:"$schema"`
		Defs   map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(out), &schema); err != nil || code != 0 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	if schema.Schema != "https://json-schema.org/draft/2020-12/schema" || schema.Defs["model"].Properties["replicas"] == nil {
		t.Errorf("not the schema of a models file: %s", out)
	}
}

func TestPlan(t *testing.T) {
	const file = "../../examples/vllm-multi-mock-config.json"
	code, out, _ := fluidmcp(t, "run", file, "--json")
	var plan struct {
		Models []struct {
			ID        string
			Instances []struct{ URL, Command string }
		}
	}
	if err := json.Unmarshal([]byte(out), &plan); err != nil || code != 0 || len(plan.Models) != 2 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	if m := plan.Models[0]; m.ID != "mock-gpt" || m.Instances[0].URL != "http://localhost:8001" || !strings.Contains(m.Instances[0].Command, "mockvllm") {
		t.Errorf("first model %+v", m)
	}
	if code, out, _ := fluidmcp(t, "run", file); code != 0 || !strings.Contains(out, "mock-llama") || !strings.Contains(out, "--start-server") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestPlanOfWhatCannotStart(t *testing.T) {
	if code, out, _ := fluidmcp(t, "run", "../../examples/kubernetes-deployment.json"); code != 0 || !strings.Contains(out, "no driver kubernetes") || strings.Contains(out, "Start it") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestRefusals(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if code, out, failed := fluidmcp(t, args...); code == 0 || out != "" || !strings.Contains(failed, want) {
			t.Errorf("fluidmcp %v: exit %d, stdout %q, stderr %q; want %q", args, code, out, failed, want)
		}
	}
	f("does not exist", "run", "nowhere.json")
	f(`log level "loud"`, "run", "../../examples/vllm-mock-config.json", "--log-level", "loud")
	f("key file nowhere.yaml: file does not exist; check the path", "run", "../../examples/vllm-mock-config.json", "--keys", "nowhere.yaml")
	f("fluidmcp: unknown command \"walk\"; `fluidmcp --help` lists the commands\n", "walk")
	f("unknown command \"evnts\"; did you mean events? `fluidmcp --help` lists the commands\n", "evnts")
	f("unknown command \"nwe\"; did you mean new? `fluidmcp keys --help` lists the commands\n", "keys", "nwe")
	f(`"m" is one argument too many: fluidmcp ps [flags]`, "ps", "m")
	f("unknown flag: --starts; `fluidmcp run --help` lists the flags", "run", "x", "--starts")
	f("unknown flag: --star-server; did you mean --start-server? `fluidmcp run --help` lists the flags", "run", "x", "--star-server")
	f("--port \"abc\": write a whole number; `fluidmcp run --help` lists the flags", "run", "x", "--port", "abc")
	f("--duration \"soon\": write a duration such as 300ms, 5s or 2m; `fluidmcp loadtest --help` lists the flags", "loadtest", "--duration", "soon")
	f("unknown shorthand flag: 'x' in -x; `fluidmcp ps --help` lists the flags", "ps", "-x")
	f("0 arguments; name one models file: fluidmcp run FILE", "run")
	f("2 arguments; name one model, `fluidmcp ps` lists them: fluidmcp stop MODEL", "stop", "a", "b")
	f("--mock-load-time goes with --mock", "run", "../../examples/vllm-mock-config.json", "--mock-load-time", "1s")
	f("or a number by which an estimate for each model is multiplied", "run", "../../examples/vllm-mock-config.json", "--mock", "--mock-load-time", "-1")
	f("no such file", "apply", "nowhere.json")
	f(`"b" is one argument too many: fluidmcp apply [FILE] [flags]`, "apply", "a", "b")
	f("write an address such as http://localhost:8099", "ps", "--url", "localhost:8099")
	f("is FluidMCP running there?", "ps", "--url", "http://127.0.0.1:1")
}

// A misspelt setting is not taken for none: this one would let everyone in.
func TestMisspeltSetting(t *testing.T) {
	models := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(models, []byte("llmModels: {far: {endpoints: {base_url: 'http://localhost:1'}}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GATEWAY_KEYS_FILES", "keys.yaml")
	code, out, failed := fluidmcp(t, "run", models, "--start-server", "--port", "0", "--supervisor-port", "0")
	if code != 1 || out != "" || !strings.Contains(failed, "unknown environment variable GATEWAY_KEYS_FILES") {
		t.Errorf("exit %d: %s%s", code, out, failed)
	}
}

func TestManagementCommands(t *testing.T) {
	const status = `{"id":"org/m","driver":"process","phase":"ready","restarts":2,"instances":[{"pid":7,"url":"http://localhost:8001","phase":"ready","restarts":1,"outdated":"it runs with the command of before"},
		{"url":"http://localhost:8002","phase":"backoff","restarts":3,"message":"killed"}, {"phase":"stopped","reason":"OnDemand"},
		{"phase":"stopped"}]}`
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer the-key" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":{"message":"No key."}}`))
			return
		}
		switch r.Method + " " + r.URL.EscapedPath() + "?" + r.URL.RawQuery {
		case "GET /api/llm/models?":
			_, _ = w.Write([]byte(`{"models":[` + status + `]}`))
		case "POST /api/llm/models/org%2Fm/stop?":
			w.WriteHeader(http.StatusAccepted)
			_, _ = w.Write([]byte(status))
		case "GET /api/llm/models/org%2Fm/logs?lines=5":
			_, _ = w.Write([]byte("last words\n"))
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"error":{"message":"No model of that name.","code":"model_not_found"}}`))
		}
	}))
	defer gateway.Close()
	f := func(wantCode int, want string, args ...string) {
		t.Helper()
		code, out, failed := fluidmcp(t, append(args, "--url", gateway.URL)...)
		if code != wantCode || !strings.Contains(out+failed, want) {
			t.Errorf("fluidmcp %v: exit %d, %q %q; want %d and %q", args, code, out, failed, wantCode, want)
		}
	}
	f(1, "No key. Set FLUIDMCP_API_KEY", "ps")
	t.Setenv("FLUIDMCP_API_KEY", "the-key")
	f(0, "org/m   ready", "ps")
	f(0, "http://localhost:8001   it runs with the command of before\n", "ps")
	f(0, "backoff", "ps")
	f(0, "http://localhost:8002   killed", "ps")
	f(0, `"restarts":2`, "ps", "--json")
	f(0, "the first request for it starts it", "ps")
	f(0, "`fluidmcp start org/m` starts it", "ps")
	f(0, "stop requested", "stop", "org/m")
	f(0, status, "stop", "org/m", "--json")
	f(0, "last words", "logs", "org/m", "--lines", "5")
	f(1, "No model of that name. `fluidmcp ps` lists them\n", "stop", "nobody")
	host := strings.TrimPrefix(gateway.URL, "http://")
	if code, _, failed := fluidmcp(t, "ps", "--url", "https://"+host); code != 1 || failed != "fluidmcp: "+host+" does not speak HTTPS: write --url http://"+host+"\n" {
		t.Errorf("by HTTPS: exit %d, %s", code, failed)
	}
	if code, out, failed := fluidmcp(t, "ps", "--url", gateway.URL+"/v1/"); code != 0 || !strings.Contains(out, "org/m") {
		t.Errorf("with /v1/: exit %d, %q %q", code, out, failed)
	}
	http.DefaultClient.CloseIdleConnections()
}

// The mock has options of its own, and its help says under which name it takes them.
func TestHelpOfTheMock(t *testing.T) {
	code, out, _ := fluidmcp(t, "mockvllm", "--help")
	if code != 0 || !strings.HasPrefix(out, "usage: mockvllm serve MODEL [options]\n") || !strings.Contains(out, "--mock-ttft") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// The help of each command that needs a key says how to give one.
func TestHelpTellsOfTheKey(t *testing.T) {
	for _, command := range []string{"ps", "logs", "events", "start", "stop", "restart", "apply"} {
		if code, out, _ := fluidmcp(t, command, "--help"); code != 0 || !strings.Contains(out, "FLUIDMCP_API_KEY") {
			t.Errorf("fluidmcp %s --help: exit %d: %s", command, code, out)
		}
	}
}

func TestCertificateOfNobodyKnown(t *testing.T) {
	gateway := httptest.NewUnstartedServer(http.NotFoundHandler())
	gateway.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake
	gateway.StartTLS()
	defer gateway.Close()
	if code, _, failed := fluidmcp(t, "ps", "--url", gateway.URL); code != 1 || !strings.Contains(failed, "SSL_CERT_FILE") || strings.Contains(failed, "is FluidMCP running") {
		t.Errorf("exit %d: %s", code, failed)
	}
	host := strings.TrimPrefix(gateway.URL, "https://")
	if code, _, failed := fluidmcp(t, "ps", "--url", "http://"+host); code != 1 || failed != "fluidmcp: "+host+" speaks HTTPS: write --url https://"+host+"\n" {
		t.Errorf("by HTTP: exit %d, %s", code, failed)
	}
	http.DefaultClient.CloseIdleConnections()
}
