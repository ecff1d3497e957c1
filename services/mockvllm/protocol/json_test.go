package protocol

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeJSON(t *testing.T) {
	f := func(text string, want any) {
		t.Helper()
		got, err := decodeJSON([]byte(text))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
	f(` null `, nil)
	f(`[true,false,-0.5e+3,0,NaN,-Infinity]`, []any{true, false, number("-0.5e+3"), number("0"), number("NaN"), number("-Infinity")})
	f(`{"a":1,"a":{"b":[]},"":"\"\\\/\b\f\n\r\t\u00e4\ud83c\udf89"}`, object{"a": object{"b": []any{}}, "": "\"\\/\b\f\n\r\tä🎉"})
	f(`"\ud800x"`, loneSurrogate+"x")
	f(`"\ud800\u0041"`, loneSurrogate+"A")
}

func TestJSONErrorsAsPython(t *testing.T) {
	f := func(text, msg string, at int) {
		t.Helper()
		_, err := decodeJSON([]byte(text))
		var syntax *syntaxError
		if !errors.As(err, &syntax) || syntax.msg != msg || syntax.chars([]byte(text)) != at {
			t.Errorf("%s: %v, want %s at %d", text, err, msg, at)
		}
	}
	f(``, "Expecting value", 0)
	f(`[1,]`, "Expecting value", 3)
	f(`[1 2]`, "Expecting ',' delimiter", 3)
	f(`{"ä":x}`, "Expecting value", 5)
	f(`{"a" 1}`, "Expecting ':' delimiter", 5)
	f(`{"a":1,}`, "Expecting property name enclosed in double quotes", 7)
	f(`{}x`, "Extra data", 2)
	f(`"abc`, "Unterminated string starting at", 0)
	f(`["a\`, "Unterminated string starting at", 1)
	f("\"a\nb\"", "Invalid control character at", 2)
	f(`"\x"`, `Invalid \escape`, 1)
	f(`"\u12"`, `Invalid \uXXXX escape`, 3)
	f(`-`, "Expecting value", 0)
	f(`01`, "Extra data", 1)
	f(`1.`, "Extra data", 1)
	for _, text := range []string{"\"\xff\"", strings.Repeat("[", 2000)} {
		if _, err := decodeJSON([]byte(text)); !errors.Is(err, errUndecodable) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}

func TestPythonText(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(PythonFloat(3), "3.0")
	f(PythonFloat(0.1), "0.1")
	f(PythonFloat(1e16), "1e+16")
	f(PythonFloat(1e-5), "1e-05")
	f(PythonFloat(123456789012345), "123456789012345.0")
	f(PythonFloat(math.NaN()), "nan")
	f(PythonFloat(math.Inf(-1)), "-inf")
	f(pyRepr(`it's`), `"it's"`)
	f(pyRepr(`it's "so"`), `'it\'s "so"'`)
	f(pyRepr("a\\\n\x01é\u2028"), `'a\\\n\x01é\u2028'`)
	f(pyString(object{"a": nil}), "<dict of 1 items>")
	f(pyString(number("1e400")), "inf")
}

func TestAppendString(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		if got := string(appendString(nil, s)); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
	f("", `""`)
	f("ä\u2028<&>\x7f", "\"ä\u2028<&>\x7f\"")
	f("\"\\\n\r\t\b\f\x00\x1f", `"\"\\\n\r\t\b\f\u0000\u001f"`)
	f("a\xffb", "\"a\ufffdb\"")
}

func FuzzDecodeJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,"x\u00e4\n",null,true]}`, `{"a":}`, `"\ud83c\udf89"`, `[[[[`, "\ufeff{}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := decodeJSON(text)
		var syntax *syntaxError
		if errors.As(err, &syntax) && (syntax.at < 0 || syntax.at > len(text)) {
			t.Fatalf("%q: error at byte %d", text, syntax.at)
		}
		// What Go reads, Python reads too, to the same strings; Python also reads NaN and Infinity.
		if !json.Valid(text) || !utf8.Valid(text) || errors.Is(err, errUndecodable) {
			return
		}
		if err != nil {
			t.Fatalf("%q is valid: %v", text, err)
		}
		if s, ok := got.(string); ok && !strings.Contains(s, loneSurrogate) {
			var want string
			if json.Unmarshal(text, &want) == nil && s != want {
				t.Fatalf("%q = %q, want %q", text, s, want)
			}
		}
	})
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\"\\\n\x00ä\u2028🎉\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(appendString(nil, s), &back); err != nil || back != strings.ToValidUTF8(s, "\ufffd") && utf8.ValidString(s) {
			t.Fatalf("%q comes back as %q: %v", s, back, err)
		}
	})
}
