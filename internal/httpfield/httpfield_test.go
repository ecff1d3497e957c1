package httpfield_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http/httpguts"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
)

var texts = []string{"content-length", "transfer-encoding", "date", "server", "connection", "cache-control", "x-accel-buffering", "x-request-id", "user-agent",
	"accept", "accept-encoding", "authorization", "Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Length", "Host", "X-Request-Id",
	"", "a", "Content-Type", "content-type", "CONTENT-TYPE", "host", "x-my-own", "X-stainless-OS", "a b", "a:b", "é", "_x", "application/json", "tab\tin it", "a\x00",
	"eight by", "longer than a word", "seven\x7f7", "more than a word\r\nHost: x", "\nbegins", "a tab\t in a word", "only at the end of it\x1f", "Grüße aus der Ferne", "\x80\xff\xfe 8 bits and more"}

func check(t *testing.T, s string) {
	t.Helper()
	if got, want := httpfield.IsToken(s), httpguts.ValidHeaderFieldName(s); got != want {
		t.Errorf("%q is a token: %t, want %t", s, got, want)
	}
	if got, want := httpfield.IsValue(s), httpguts.ValidHeaderFieldValue(s); got != want {
		t.Errorf("%q is a value: %t, want %t", s, got, want)
	}
	if got, want := httpfield.Trim(s), strings.Trim(s, " \t"); got != want {
		t.Errorf("%q trimmed is %q, want %q", s, got, want)
	}
	want := ""
	if httpguts.ValidHeaderFieldName(s) {
		want = http.CanonicalHeaderKey(s)
	}
	if got := httpfield.Canonical(s); got != want {
		t.Errorf("%q has the form %q, want %q", s, got, want)
	}
}

func TestLikeNetHTTP(t *testing.T) {
	for _, s := range texts {
		check(t, s)
	}
	for c := range 256 { // each byte at each place of a word and after it
		for at := range 12 {
			b := []byte("abcdefghijkl")
			b[at] = byte(c)
			check(t, string(b))
		}
	}
}

func FuzzLikeNetHTTP(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(check)
}

func BenchmarkField(b *testing.B) {
	const name, value = "content-type", "application/json; charset=utf-8, and as much again"
	b.Run("httpguts", func(b *testing.B) {
		for b.Loop() {
			if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) || http.CanonicalHeaderKey(name) == "" {
				b.Fatal("refused")
			}
		}
	})
	b.Run("httpfield", func(b *testing.B) {
		for b.Loop() {
			if httpfield.Canonical(name) == "" || !httpfield.IsValue(value) {
				b.Fatal("refused")
			}
		}
	})
}
