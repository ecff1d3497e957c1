package secret_test

import (
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
		"/llm/" + long + "/x?k=" + long[:21]:    "/llm/(a secret)/x?k=(a secret)",
		secret.Prefix + "short is a model's":    secret.Prefix + "short is a model's",
		`the model "` + long + `" is not known`: `the model "(a secret)" is not known`,
	} {
		if got := secret.Mask(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		if secret.In(text) != (text != want) {
			t.Errorf("In(%q) = %t", text, secret.In(text))
		}
	}
}
