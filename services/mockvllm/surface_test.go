package mockvllm_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asks returns a function that sends a request and compares status and body; "" is any body, and a want that ends with
// "..." is how the body begins.
func (s *server) asks() func(method, path, body string, status int, want string, header ...string) {
	return func(method, path, body string, status int, want string, header ...string) {
		s.t.Helper()
		got, text := s.call(method, path, body, header...)
		if begin, cut := strings.CutSuffix(want, "..."); cut && strings.HasPrefix(text, begin) {
			text = want
		}
		if got != status || want != "" && text != want {
			s.t.Errorf("%s %s %s: %d\n%s", method, path, body, got, cmp.Diff(want, text))
		}
	}
}

const missing = `{"detail":"Not Found"}`

func TestRoutesOfEachKind(t *testing.T) {
	const off = `{"error":{"message":"Scale-out endpoints are disabled. Restart vllm serve with --enable-scale-out to enable them.","type":"PermissionDeniedError","param":null,"code":403}}`
	f := start(t, "m").asks()
	f("GET", "/docs", "", 200, "...")
	f("HEAD", "/openapi.json", "", 200, "")
	f("POST", "/docs", "", 405, `{"detail":"Method Not Allowed"}`)
	f("POST", "/v1/responses/render", "{}", 403, off)
	f("GET", "/v1/responses/render", "", 404, `{"error":{"message":"Response with id 'render' not found.","type":"invalid_request_error","param":"response_id","code":404}}`)
	f("GET", "/v1/responses/a/b", "", 404, missing)
	f("POST", "/v1/systemone", `{"state":"x","questions":{}}`, 501, `{"error":{"message":"The model does not support the structured decision API","type":"NotImplementedError","param":null,"code":501}}`)
	f("POST", "/v1/systemone", `{"state":"x","questions":{"q":{}}}`, 400, `{"error":{"message":"1 validation error:\n  {'type': 'missing', 'loc': 'body.questions.q.type', 'msg': 'Field required', 'input': '<dict of 0 items>'}","type":"Bad Request","param":"body.questions.q.type","code":400}}`)
	f("POST", "/sleep", "", 404, missing)
	f("POST", "/v1/embeddings", "{}", 404, missing)
	f("GET", "/metrics/", "", 200, "")
	f("PUT", "/metricsx", "", 200, "")

	f("GET", "/tokenizer_info", "", 404, missing)

	f = start(t, "m", "--enable-tokenizer-info-endpoint", "--disable-fastapi-docs", "--enable-scale-out", "--enable-fault-tolerance", "--profiler-config.profiler", "torch").asks()
	f("GET", "/docs", "", 404, missing)
	f("POST", "/v1/responses/render", "{}", 400, `{"error":{"message":"1 validation error:\n  {'type': 'missing', 'loc': 'body.input', 'msg': 'Field required',...`)
	f("GET", "/tokenizer_info", "", 200, `{"tokenizer_class":"TokenizerPoolCachedTokenizersBackend","bos_token":"<|begin|>",...`)
	f("POST", "/start_profile", "", 200, "")
	f("GET", "/fault_tolerance/status", "", 200, `{"schema_version":1,"total_engines":1,"engines":[]}`)
	f("POST", "/fault_tolerance/apply", `{"instruction":"retry"}`, 202, `{"message":"Request accepted; poll /fault_tolerance/status for updates.",...`)
	f("POST", "/fault_tolerance/apply", `{"instruction":"x"}`, 400, `{"error":{"message":"Invalid instruction: 'x'.","type":"Bad Request","param":null,"code":400}}`)

	f = start(t, "m", "--runner", "pooling").asks()
	f("POST", "/v1/chat/completions", "{}", 404, missing)
	f("POST", "/is_scaling_elastic_ep", "", 404, missing)
	f("GET", "/v1/embeddings", "", 405, `{"detail":"Method Not Allowed"}`)
	f("POST", "/classify", "{}", 404, missing)

	f = start(t, "m", "--runner", "pooling", "--convert", "classify").asks()
	f("POST", "/classify", `{"input":"Hello"}`, 200, `{"id":"classify-...`)
	f("POST", "/score", "{}", 404, missing)
}

func TestScale(t *testing.T) {
	f := start(t).asks()
	bad := func(message string) string {
		return `{"error":{"message":"` + message + `","type":"Bad Request","param":null,"code":400}}`
	}
	f("POST", "/scale_elastic_ep", "", 400, bad(`1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed`))
	f("POST", "/scale_elastic_ep", "{x", 400, bad("Invalid JSON format"))
	f("POST", "/scale_elastic_ep", "{}", 400, bad("new_data_parallel_size is required"))
	f("POST", "/scale_elastic_ep", `{"new_data_parallel_size":"x"}`, 400, bad("new_data_parallel_size must be a positive integer"))
	f("POST", "/scale_elastic_ep", `{"new_data_parallel_size":2,"drain_timeout":0}`, 400, bad("drain_timeout must be a positive integer"))
	f("POST", "/scale_elastic_ep", `{"new_data_parallel_size":2}`, 500, `{"error":{"message":"Scale failed","type":"Internal Server Error","param":null,"code":500}}`)
	f("POST", "/scale_elastic_ep", `{"new_data_parallel_size":true}`, 200, `{"message":"Scaled to True data parallel engines"}`)
	f("POST", "/scale_elastic_ep", `[]`, 500, `{"error":{"message":"'list' object has no attribute 'get'","type":"InternalServerError","param":null,"code":500}}`)
}

func TestRootPath(t *testing.T) {
	s := start(t, "m", "--root-path", "/llm", "--api-key", "k")
	f := s.asks()
	f("GET", "/llm/health", "", 200, "")
	f("GET", "/health", "", 200, "")
	f("GET", "/llm", "", 404, missing)
	f("GET", "/llmv1/models", "", 404, missing)
	f("GET", "/llm/v1/models", "", 401, `{"error":"Unauthorized"}`)
	f("GET", "/llm/v1/models", "", 200, "", "Authorization", "Bearer k")
	f("GET", "/llm/docs", "", 200, "")
	redirect := func(path, want string) {
		t.Helper()
		resp := s.do("GET", path, "")
		if got := strings.TrimPrefix(resp.Header.Get("Location"), s.url); resp.StatusCode != http.StatusTemporaryRedirect || got != want {
			t.Errorf("%s: %d to %s, want %s", path, resp.StatusCode, got, want)
		}
	}
	redirect("/llm/health/?a=1", "/llm/health?a=1")
	redirect("/llm/health//", "/llm/health")
	redirect("/health/", "/health")
	for _, path := range []string{"/llm/tokenize/", "/tokenize/"} { // a redirect counts as what was asked for
		f("POST", path, "", 307, "")
		s.waitMetric(`http_requests_total{handler="`+path+`",method="POST",status="3xx"}`, "1")
	}
}

// TestRedirectsGoToAHost: what is no host is the address of the server instead.
func TestRedirectsGoToAHost(t *testing.T) {
	s := start(t)
	f := func(host, want string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/version/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := resp.Header.Get("Location"); got != want+"/version" {
			t.Errorf("%s: to %s", host, got)
		}
	}
	for _, host := range []string{"a", "A.b:1", "a_b", "1.2.3.4:5", "[::1]:8", "[v1.a]", "a*", "(a)", "a:00080"} {
		f(host, "http://"+host)
	}
	for _, host := range []string{"a:b", "a:99999", "a@b", "user:pw@a", ":80", "a:80:90", "[1:z]"} {
		f(host, s.url)
	}
}

func TestCrossOrigin(t *testing.T) {
	// f sends an OPTIONS or GET, and compares the headers that speak of origins, without those that are always the same.
	f := func(s *server, method, want string, header ...string) {
		t.Helper()
		resp := s.do(method, "/v1/models", "", header...)
		var got []string
		for _, name := range []string{"Origin", "Methods", "Headers", "Credentials"} {
			if v, ok := resp.Header["Access-Control-Allow-"+name]; ok {
				got = append(got, name+"="+v[0])
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s %q: %d %s, want %s", method, header, resp.StatusCode, text, want)
		}
	}
	const all = "Methods=DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY"
	s := start(t, "m", "--allowed-origins", `["*"]`)
	f(s, "GET", "Origin=*", "Origin", "http://a.example")
	f(s, "GET", "")
	f(s, "OPTIONS", "Origin=* "+all+" Headers=x-a", "Origin", "http://a.example", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-a")

	s = start(t, "m", "--allowed-origins", `["*"]`, "--allow-credentials")
	f(s, "GET", "Origin=http://a.example Credentials=true", "Origin", "http://a.example")
	f(s, "OPTIONS", "Origin=http://a.example "+all+" Credentials=true", "Origin", "http://a.example", "Access-Control-Request-Method", "PUT")

	s = start(t, "m", "--allowed-origins", `["http://a.example"]`, "--allowed-methods", `["GET","POST"]`, "--allowed-headers", `["X-A"]`)
	const some = "Methods=GET, POST Headers=Accept, Accept-Language, Content-Language, Content-Type, X-A"
	f(s, "GET", "Origin=http://a.example", "Origin", "http://a.example")
	f(s, "GET", "", "Origin", "http://b.example")
	f(s, "OPTIONS", "Origin=http://a.example "+some, "Origin", "http://a.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "x-a, Accept")
	f(s, "OPTIONS", some, "Origin", "http://b.example", "Access-Control-Request-Method", "GET")
	g := s.asks()
	g("OPTIONS", "/nope", "", 400, "Disallowed CORS origin, method, headers, private-network", "Origin", "http://b.example", "Access-Control-Request-Method", "PUT",
		"Access-Control-Request-Headers", "x-b", "Access-Control-Request-Private-Network", "true")
	g("OPTIONS", "/nope", "", 200, "OK", "Origin", "http://a.example", "Access-Control-Request-Method", "POST")
	g("OPTIONS", "/v1/models", "", 405, "", "Origin", "http://a.example")
}

func TestRequestIDs(t *testing.T) {
	s := start(t, "m", "--enable-request-id-headers", "--api-key", "k")
	f := func(method, path, want string, header ...string) {
		t.Helper()
		got := s.do(method, path, "", header...).Header.Get("X-Request-Id")
		if got != want && (want != "" || len(got) != 32) {
			t.Errorf("%s %s: %q, want %q", method, path, got, want)
		}
	}
	f("GET", "/health", "")
	f("GET", "/nope", "abc", "X-Request-Id", "abc")
	f("GET", "/v1/models", "abc", "X-Request-Id", "abc")
	f("OPTIONS", "/v1/models", "", "Origin", "http://a.example", "Access-Control-Request-Method", "GET")
}

func TestQuietPaths(t *testing.T) {
	s := start(t, "m", "--disable-access-log-for-endpoints", "/health, /ping")
	s.call("GET", "/health", "")
	s.call("GET", "/ping", "")
	s.call("GET", "/version", "")
	s.log.waitFor(t, `"GET /version`)
	if text := s.log.String(); strings.Contains(text, `"GET /health`) || strings.Contains(text, `"GET /ping`) {
		t.Errorf("log:\n%s", text)
	}
}
