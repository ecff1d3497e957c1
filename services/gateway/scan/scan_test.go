package scan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/gateway/scan"
)

func TestObject(t *testing.T) {
	f := func(src string, wantEnd int, want ...string) {
		t.Helper()
		var got []string
		end, err := scan.Object([]byte(src), func(m scan.Member) {
			got = append(got, fmt.Sprintf("%s=%s", m.Key, src[m.Start:m.End]))
		})
		if err != nil || end != wantEnd {
			t.Errorf("%q: end %d, error %v; want end %d", src, end, err, wantEnd)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", src, diff)
		}
	}
	f(`{}`, 1)
	f(" { } \n", 3)
	f(`{"a":1}`, 6, "a=1")
	f(`{"a" : [1, {"a":2}] , "b":{"c":"}"},"a":null}`, 44, `a=[1, {"a":2}]`, `b={"c":"}"}`, "a=null")
	f(`{"\u0061\n":"\"\\"}`, 18, "a\n="+`"\"\\"`)
	f(`{"a":-0.5e+10,"b":NaN,"c":-Infinity,"d":Infinity}`, 48, "a=-0.5e+10", "b=NaN", "c=-Infinity", "d=Infinity")
	f("\uFEFF{\"ü\":\"€\"}", 14, `ü="€"`)
	f(`{"a":"\ud800"}`, 13, `a="\ud800"`)
}

// TestStrings has every byte at every place of a string that is read in words and, where it is long, by larger pieces.
func TestStrings(t *testing.T) {
	check := func(length, at int, c byte, rest string) {
		t.Helper()
		text := []byte("{\"a\":\"" + strings.Repeat("~", length) + "\"}" + rest)
		text[6+at] = c
		_, err := scan.Object(text, func(scan.Member) {})
		if want := json.Valid(text); (err == nil) != want {
			t.Errorf("%q: %v, want valid: %v", text, err, want)
		}
	}
	for at := range 80 {
		for c := range byte(0x80) {
			check(80, at, c, "")
			check(80, at, c, "\n") // not all of it is printable
		}
	}
	for at := range 2500 {
		check(2500, at, '\\', "")
		check(2500, at, '"', "")
	}
}

func TestSyntaxErrors(t *testing.T) {
	f := func(src string, offset int, message string) {
		t.Helper()
		_, err := scan.Object([]byte(src), func(scan.Member) {})
		var syntax *scan.SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset != offset || !strings.Contains(syntax.Message, message) {
			t.Errorf("%.40q: %v; want %q at byte %d", src, err, message, offset)
		}
	}
	f(``, 0, "expected an object")
	f(`[]`, 0, "expected an object")
	f(`"a"`, 0, "expected an object")
	f(`{`, 1, "unexpected end")
	f(`{"a"}`, 4, "unexpected character '}'")
	f(`{"a":}`, 5, "unexpected character '}'")
	f(`{"a":1,}`, 7, "unexpected character '}'")
	f(`{"a":1 "b":2}`, 7, `unexpected character '"'`)
	f(`{a:1}`, 1, "unexpected character 'a'")
	f(`{"a":01}`, 6, "unexpected character '1'")
	f(`{"a":1.}`, 7, "unexpected character '}'")
	f(`{"a":1e}`, 7, "unexpected character '}'")
	f(`{"a":-}`, 6, "unexpected character '}'")
	f(`{"a":nul}`, 5, "unexpected character 'n'")
	f(`{"a":"\x"}`, 7, "invalid escape")
	f(`{"a":"\u12g4"}`, 10, "invalid escape")
	f("{\"a\":\"\n\"}", 6, "control character")
	f(`{"a":"b`, 7, "unexpected end")
	f(`{} {}`, 3, "data after the value")
	f("{\"a\":\"\xff\"}", 6, "invalid UTF-8")
	f(`{"a":`+strings.Repeat("[", 20000), 10004, "nested too deep")
}

// TestForeign: what Python's json could read and this package cannot is told apart from what nobody can.
func TestForeign(t *testing.T) {
	f := func(src string, want bool) {
		t.Helper()
		_, err := scan.Object([]byte(src), func(scan.Member) {})
		if syntax, ok := errors.AsType[*scan.SyntaxError](err); !ok || syntax.Foreign != want {
			t.Errorf("%.40q: %+v; want foreign %v", src, syntax, want)
		}
	}
	wide := func(src, before, after string) (out string) {
		for _, r := range src {
			out += before + string(r) + after
		}
		return out
	}
	f(`{"a":1,}`, false)
	f(`[1]`, false)
	f(``, false)
	f("{\"a\":\"\n\"}", false)
	f(`{"a":`+strings.Repeat("[", 20000), true)
	f("{\"a\":\"\xed\xa0\x80\"}", true) // a lone surrogate, as Python writes it
	f("\xff\xfe"+wide(`{"a":1}`, "", "\x00"), true)
	f(wide(`{"a":1}`, "", "\x00"), true)
	f(wide(`{"a":1}`, "\x00", ""), true)
	f(wide(`{"a":1}`, "\x00\x00\x00", ""), true)
	f(wide(` [1]`, "", "\x00\x00\x00"), true)
}

func TestArray(t *testing.T) {
	f := func(src string, want ...string) {
		t.Helper()
		var got []string
		if err := scan.Array([]byte(src), func(e []byte) { got = append(got, string(e)) }); err != nil {
			t.Errorf("%q: %v", src, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", src, diff)
		}
	}
	f(`[]`)
	f(` [ ] `)
	f(`[1, "a]" ,{"b":[2]},[[]]]`, "1", `"a]"`, `{"b":[2]}`, "[[]]")
	for _, bad := range []string{`{}`, `[1`, `[1,]`, `[1]2`, ``, `[1 2]`} {
		if err := scan.Array([]byte(bad), func([]byte) {}); err == nil {
			t.Errorf("%q is no array", bad)
		}
	}
}

func TestString(t *testing.T) {
	f := func(value, want string, wantOK bool) {
		t.Helper()
		if got, ok := scan.String([]byte(value)); got != want || ok != wantOK {
			t.Errorf("String(%s) = %q, %v", value, got, ok)
		}
	}
	f(`"a\u0062"`, "ab", true)
	f(`""`, "", true)
	f(`null`, "", false)
	f(`1`, "", false)
	f(``, "", false)
}

func TestCount(t *testing.T) {
	for value, want := range map[string]int{"0": 0, "64": 64, "2147483647": math.MaxInt32, "2147483648": 0, "2147483650": 0, "99999999999999999999": 0,
		"-1": 0, "1.0": 0, "1e3": 0, `"7"`: 0, "null": 0, "": 0} {
		if got := scan.Count([]byte(value)); got != want {
			t.Errorf("%s counts %d, want %d", value, got, want)
		}
	}
}

// FuzzObject: what encoding/json takes for an object in valid UTF-8 is one here as well, with the same members.
func FuzzObject(f *testing.F) {
	f.Add([]byte(`{"a":[1,2,{"b":null}],"a":"\u00e4","c":-1.5E-3}`))
	f.Add([]byte(`{"a":tru}`))
	f.Add([]byte(" {\"\\ud83d\\ude00\":{}}\t"))
	f.Fuzz(func(t *testing.T, src []byte) {
		members := make(map[string]json.RawMessage)
		end, err := scan.Object(src, func(m scan.Member) { members[string(m.Key)] = src[m.Start:m.End] })
		var want map[string]json.RawMessage
		known := json.Unmarshal(src, &want) == nil && want != nil && utf8.Valid(src)
		if err != nil {
			if known {
				t.Fatalf("refused %q: %v", src, err)
			}
			return
		}
		if src[end] != '}' {
			t.Fatalf("%q ends at %d", src, end)
		}
		if !known {
			return // a literal that only Python knows
		}
		if diff := cmp.Diff(want, members); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", src, diff)
		}
	})
}
