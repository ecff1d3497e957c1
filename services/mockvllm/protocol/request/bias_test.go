package request

import (
	"strings"
	"testing"
)

// TestToken: what Python's int makes of keys.
func TestToken(t *testing.T) {
	f := func(key, want string) {
		t.Helper()
		if number, _, ok := token(key); number != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", key, number, ok, want)
		}
	}
	f("3", "3")
	f("+3", "3")
	f("-3", "-3")
	f("-0", "0")
	f("000", "0")
	f("007", "7")
	f("1_0", "10")
	f(" 3\n", "3")
	f("\u20033\u00a0", "3")
	f("\u00853", "3")
	f("٣", "3")
	f("-١٢", "-12")
	f("٣_٤", "34")
	f("𝟛𝟠", "38")
	f("99999999999999999999", "99999999999999999999")
	f("-99999999999999999999", "-99999999999999999999")
	f(strings.Repeat("1", 4300), strings.Repeat("1", 4300))
	for _, key := range []string{"", "-", "+", "3.0", "0x3", "1__0", "_1", "1_", "--3", "+-3", "+ 3", "3a", "3\x00", "\x1c3", "½", "²", "_", strings.Repeat("1", 4301)} {
		f(key, "")
	}
}
