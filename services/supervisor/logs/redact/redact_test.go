package redact_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/services/supervisor/logs/redact"
)

func TestHide(t *testing.T) {
	r := redact.New([]string{"key-one", "key-one-longer", `pass"word/+`, "abc", "True", "first line\nsecond line\n"})
	f := func(text, want string) {
		t.Helper()
		require.Equal(t, want, r.Hide(text))
	}
	f("--api-key key-one, key-one-longer", "--api-key ***, ***")
	f(`"pass\"word/+" and pass%22word%2F%2B`, `"***" and ***`)
	f("abc is True", "abc is True") // too short, and a word
	f("the second line alone", "the *** alone")
	f("{'api_key': ['a', 'b'], 'hf_token': 'c', 'seed': 1}", "{'api_key': '***', 'hf_token': '***', 'seed': 1}")
	f("http://me:let-me-in@proxy:80/x", "http://me:***@proxy:80/x")
	f("token hf_AbCdEfGhIjKlMnOpQrStUvWxYz12345678", "token ***")
}

// TestHideOpen takes away what may become a secret with the next piece.
func TestHideOpen(t *testing.T) {
	r := redact.New([]string{"key-one", "key-one-longer"})
	f := func(text, want string) {
		t.Helper()
		require.Equal(t, want, r.HideOpen(text))
	}
	f("a key", "a ")
	f("a key-one", "a ***")
	f("a key*", "a key*")
	f("", "")
	require.Equal(t, "a key", redact.New(nil).HideOpen("a key"))
}
