package refusal

import (
	"regexp"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
)

var unsafe = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(` at 0x[0-9a-fA-F]+>`), ">"},
	{regexp.MustCompile(`\n?[\s\v\x1c-\x1f\x{85}\p{Z}]*File "[^"]+", line \p{Nd}+, in [^\s\v\x1c-\x1f\x{85}\p{Z}]+(\n[\s\v\x1c-\x1f\x{85}\p{Z}]+.*)?`), ""},
	{regexp.MustCompile(`/(?:home|usr|opt|var|tmp|root|lib|mnt|srv)(?:/[\p{L}\p{N}_.\-]+)+`), "<path>"},
	{regexp.MustCompile(`(?:/[\p{L}\p{N}_\-]+)+/[\p{L}\p{N}_\-]+\.[\p{L}\p{N}_]+`), "<path>"},
}

// Sanitize takes addresses, tracebacks and paths of files out of an error's text, as vLLM does with each.
func Sanitize(msg string) string {
	if strings.Contains(msg, "/") || strings.Contains(msg, " at 0x") || strings.Contains(msg, `File "`) {
		for _, u := range unsafe {
			msg = u.pattern.ReplaceAllLiteralString(msg, u.with)
		}
	}
	return strings.TrimFunc(msg, python.Space)
}
