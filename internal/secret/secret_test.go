package secret_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/secret"
)

func TestMask(t *testing.T) {
	long := secret.Prefix + strings.Repeat("0a", 32)
	for text, want := range map[string]string{
		"":                                      "",
		"/llm/m/chat/completions":               "/llm/m/chat/completions",
		long:                                    "(a secret)",
		"/llm/" + long + "/x?k=" + long[:20]:    "/llm/(a secret)/x?k=(a secret)",
		secret.Prefix + "short is a model's":    secret.Prefix + "short is a model's",
		`the model "` + long + `" is not known`: `the model "(a secret)" is not known`,
		"/llm/sk-ant-api03-Ab_9-xyzXYZ0123456789abcdef/chat": "/llm/(a secret)/chat",
		"/llm/task-0123456789abcdef0123456789abcdef/chat":    "/llm/task-0123456789abcdef0123456789abcdef/chat",
		"/llm/sk-team-production-gateway/chat":               "/llm/sk-team-production-gateway/chat",
		`"hf_` + strings.Repeat("aB3", 11) + `"`:             `"(a secret)"`,
	} {
		if got := secret.Mask(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		if secret.In(text) != (text != want) {
			t.Errorf("In(%q) = %t", text, secret.In(text))
		}
	}
}

// TestMaskOf: what a request brings as its key is not told of it, whatever it looks like.
func TestMaskOf(t *testing.T) {
	const key = "Zq7-any.form_of+key/at=all"
	f := func(name, value, query, text, want string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/"+query, nil)
		if name != "" {
			r.Header.Set(name, value)
		}
		if got := secret.MaskOf(r, text); got != want {
			t.Errorf("%s %q, query %q: %q became %q, want %q", name, value, query, text, got, want)
		}
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + key, "authorization": key, "Proxy-Authorization": "basic\t" + key,
		"X-Api-Key": key, "Api-Key": " " + key + ", " + key} {
		f(name, value, "", "/llm/"+key+"/"+key, "/llm/(a secret)/(a secret)")
		f(name, value, "", `no such model "`+key[:20]+`..."`, `no such model "(a secret)..."`)
	}
	for _, parameter := range []string{"api_key", "API-Key", "apikey", "access_token", "key", "a=1&key"} {
		f("", "", "?"+parameter+"=Zq7-any.form_of%2Bkey/at=all", "about "+key, "about (a secret)")
	}
	f("Authorization", "Bearer "+key, "", key[:10], key[:10]) // too little to be told from chance
	f("Authorization", "Bearer EMPTY", "", "/llm/EMPTY/chat", "/llm/EMPTY/chat")
	f("X-Other", key, "?other="+"12345678", key+" 12345678", key+" 12345678")
}

func TestWithoutKeys(t *testing.T) {
	for query, want := range map[string]string{
		"":                              "",
		"mode=wait&level=1":             "mode=wait&level=1",
		"api_key=x":                     "",
		"a=%20b&api%5Fkey=x&c&Key=y&d=": "a=%20b&c&d=",
		"&a=1&;&%zz=1":                  "&a=1&;&%zz=1",
	} {
		if got := secret.WithoutKeys(query); got != want {
			t.Errorf("%q became %q, want %q", query, got, want)
		}
	}
}
