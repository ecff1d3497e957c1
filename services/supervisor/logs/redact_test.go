package logs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
)

const pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n"

func TestSecretsAreHidden(t *testing.T) {
	all := logs.New(logs.Config{})
	all.Hide([]string{"key-one", "key-one-longer", `pass"word/+`, "abc", "True", pem})
	s := all.Stream("m-0")
	f := func(want string, writes ...string) {
		t.Helper()
		for _, w := range writes {
			fmt.Fprint(s, w)
		}
		last := s.Last(1)
		if len(last) != 1 || last[0].Text != want {
			t.Errorf("%q shows %+v, want %q", writes, last, want)
		}
		fmt.Fprint(s, "\n\n")
	}
	f("--api-key *** and *** or ***", "--api-key key-one and key-one-longer or key-one\n")
	f("a *** b", "a key-", "o", "ne b\n")
	f("a ", "a key-o")                   // it may go on
	f("a *** ***", "a key-one key-one-") // so may the longer one, and the first line of the last
	f("a key*", "a key*")
	f(`as it is ***, in JSON "***", in a URL ?p=***`, `as it is pass"word/+, in JSON "pass\"word/+", in a URL ?p=pass%22word%2F%2B`+"\n")
	f("alphabet abc is True", "alphabet abc is True\n")
	f("***", "MIIEvQIBADANBg\n")
	f("token ***", "token hf_AbCdEfGhIjKlMnOpQrStUvWxYz12345678\n")
	f("a model hf_small", "a model hf_small\n")
	f("key (a secret)", "key fmcp_0123456789abcdef0123\n")
	f("proxy http://me:***@proxy:80/x", "proxy http://me:let-me-in@proxy:80/x\n")
	f("at http://h:80/?q=a@b", "at http://h:80/?q=a@b\n")
	f("non-default args: {'model': 'm', 'api_key': '***', 'hf_token': '***', 'port': 1}",
		"non-default args: {'model': 'm', 'api_key': ['unknown', 'x'], 'hf_token': 'unknown', 'port': 1}\n")
	f(strings.Repeat("x", 64<<10-3)+" [cut]", strings.Repeat("x", 64<<10-3)+"key-one\n") // cut in its middle

	all.Hide([]string{"later"})
	f("*** and ***", "later and key-one\n")
}

func TestColours(t *testing.T) {
	f := func(text, plain, coloured string) {
		t.Helper()
		if got := logs.Plain(text); got != plain {
			t.Errorf("Plain(%q) = %q, want %q", text, got, plain)
		}
		if got := logs.Coloured(text); got != coloured {
			t.Errorf("Coloured(%q) = %q, want %q", text, got, coloured)
		}
	}
	f("plain\ttext é", "plain\ttext é", "plain\ttext é")
	f("\x1b[1;32mINFO\x1b[0m ok", "INFO ok", "\x1b[1;32mINFO\x1b[0m ok")
	f("\x1b[31mred", "red", "\x1b[31mred\x1b[0m")
	f("\x1b[A\x1b[2Kbar", "bar", "bar")
	f("\x1b]0;title\x07x\x1b]8;;http://h\x1b\\y", "xy", "xy")
	f("a\bb\x07\x00\x7f\u009bc", "abc", "abc")
	f("end\x1b", "end", "end")
	f("\x1bPdevice control\x1b\\z", "z", "z")
}

func BenchmarkWrite(b *testing.B) {
	all := logs.New(logs.Config{})
	all.Hide([]string{"sk-0123456789abcdef", "hf_abcdefghijklmnop", "password-of-somebody"})
	s := all.Stream("m-0")
	line := []byte("(APIServer pid=25655) INFO 11-23 02:25:07 [launcher.py:195] Route: /v1/chat/completions, Methods: POST\n")
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		_, _ = s.Write(line)
	}
}
