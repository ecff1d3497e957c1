package pyjson_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// entry is a line of testdata/python.jsonl, see make.py beside it.
type entry struct {
	Doc         *string
	Repr        string
	Dumps       string
	Error       string
	Undecodable bool
	Float       string
}

func TestAsPython(t *testing.T) {
	file, err := os.Open("testdata/python.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Doc != nil:
			checkDocument(t, latin1(*e.Doc), e)
		case e.Float != "":
			bits, _ := strconv.ParseUint(e.Float, 16, 64)
			if got := pyjson.Float(math.Float64frombits(bits)); got != e.Repr {
				t.Errorf("float %s: got %s, want %s", e.Float, got, e.Repr)
			}
		}
	}
}

func latin1(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

func checkDocument(t *testing.T, doc []byte, want entry) {
	v, err := pyjson.Decode(doc)
	var syntax *pyjson.SyntaxError
	switch {
	case errors.As(err, &syntax):
		if syntax.Error() != want.Error {
			t.Errorf("%q: error %q, want %q", doc, syntax, want.Error)
		}
	case err != nil:
		if !want.Undecodable {
			t.Errorf("%q: %v, want %+v", doc, err, want)
		}
	case pyjson.Repr(v) != want.Repr:
		t.Errorf("%q: repr %s, want %s", doc, pyjson.Repr(v), want.Repr)
	case pyjson.Dumps(v) != want.Dumps:
		t.Errorf("%q: dumps %s, want %s", doc, pyjson.Dumps(v), want.Dumps)
	}
}

func TestDepth(t *testing.T) {
	f := func(open, shut string, n int, want error) {
		t.Helper()
		if _, err := pyjson.Decode([]byte(strings.Repeat(open, n) + "1" + strings.Repeat(shut, n))); !errors.Is(err, want) {
			t.Errorf("%d times %s: %v", n, open, err)
		}
	}
	f("[", "]", pyjson.MaxDepth, nil)
	f(`{"a":`, "}", pyjson.MaxDepth, nil)
	f("[", "]", pyjson.MaxDepth+1, pyjson.ErrUndecodable)
	f(`{"a":`, "}", pyjson.MaxDepth+1, pyjson.ErrUndecodable)
	f("[", "", 10_000_000, pyjson.ErrUndecodable)
}

func TestDecodePrefix(t *testing.T) {
	f := func(text string, size int, want string) {
		t.Helper()
		v, got, err := pyjson.DecodePrefix(text)
		if err != nil || got != size || pyjson.Repr(v) != want {
			t.Errorf("%q: %s, %d bytes, %v; want %s, %d bytes", text, pyjson.Repr(v), got, err, want, size)
		}
	}
	f(`{"a": 1}; {"b"`, 8, "{'a': 1}")
	f(`[] x`, 2, "[]")
	f(`{ }`, 3, "{}")
	f(`"é"é`, 4, "'é'")
	f("nullnull", 4, "None")
	f("01", 1, "0")
	f("1.x", 1, "1")
	f("1e+", 1, "1")
	f("-0.5-", 4, "-0.5")
	refused := func(text, want string) {
		t.Helper()
		if v, size, err := pyjson.DecodePrefix(text); err == nil || err.Error() != want || v != nil || size != 0 {
			t.Errorf("%q: %v, %d bytes, %v; want %s", text, v, size, err, want)
		}
	}
	refused("", "Expecting value: line 1 column 1 (char 0)")
	refused(" 1", "Expecting value: line 1 column 1 (char 0)")
	refused("x{}", "Expecting value: line 1 column 1 (char 0)")
	refused("{\"a\":\n1;", "Expecting ',' delimiter: line 2 column 2 (char 7)")
}

func TestFormats(t *testing.T) {
	v, err := pyjson.Decode([]byte(`{"é\u2028": [1, 2.50, "\ud800\"\u0001"], "b": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	f := func(format pyjson.Format, want string) {
		t.Helper()
		if got := string(pyjson.AppendJSON(nil, v, format)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got, want := pyjson.DumpsUnicode(v), string(pyjson.AppendJSON(nil, v, pyjson.Format{})); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f(pyjson.Format{}, "{\"é\u2028\": [1, 2.5, \"\ufffd\\\"\\u0001\"], \"b\": {}}")
	f(pyjson.Format{Compact: true}, "{\"é\u2028\":[1,2.5,\"\ufffd\\\"\\u0001\"],\"b\":{}}")
	f(pyjson.Format{ASCII: true}, `{"\u00e9\u2028": [1, 2.5, "\ud800\"\u0001"], "b": {}}`)
	f(pyjson.Format{Compact: true, ASCII: true}, `{"\u00e9\u2028":[1,2.5,"\ud800\"\u0001"],"b":{}}`)
}

func TestObject(t *testing.T) {
	var o pyjson.Object
	for i := range 100 {
		o.Set(strconv.Itoa(i%50), i)
	}
	if o.Len() != 50 || o.Members()[3].Key != "3" {
		t.Errorf("%d members, the fourth is %v", o.Len(), o.Members()[3])
	}
	for i := range 50 {
		if v, ok := o.Get(strconv.Itoa(i)); !ok || v != i+50 {
			t.Errorf("%d: %v", i, v)
		}
	}
	c := o.Clone()
	c.Set("3", nil)
	if v := o.Value("3"); v != 53 {
		t.Errorf("setting a clone's member changed the original's to %v", v)
	}
	var none *pyjson.Object
	if _, ok := none.Get("a"); ok || none.Value("a") != nil || none.Len() != 0 {
		t.Error("a nil object has members")
	}
}

// TestPlaces has each character at each place of a text, since strings are looked at in pieces.
func TestPlaces(t *testing.T) {
	const length = 19
	for c := range rune(0x100) {
		for at := range length {
			text := strings.Repeat("a", at) + string(c) + strings.Repeat("x", length-at-1)
			var meant string
			if written := pyjson.AppendString(nil, text); json.Unmarshal(written, &meant) != nil || meant != text {
				t.Fatalf("%q became %s", text, written)
			}
			doc := []byte(`"` + text + `"`)
			read, err := pyjson.Decode(doc)
			if json.Valid(doc) != (err == nil) || err == nil && read != text {
				t.Fatalf("%q was read as %q (%v)", doc, read, err)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, doc := range []string{
		`{"a":[1,-2.5e3,true,null,"x\u00e9\ud83d\ude00"],"a":{}}`, `["\ud800"]`, "{'a'}", "\ufeff[NaN]", "\"\xed\xa0\x80\"",
		"[\x001\x00]\x00", "\xfe\xff\x00[\x00]", "1e999", `"\u12`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		v, err := pyjson.Decode(doc)
		if err != nil {
			if json.Valid(doc) && !errors.Is(err, pyjson.ErrUndecodable) {
				t.Errorf("encoding/json takes %q, but: %v", doc, err)
			}
			return
		}
		_ = pyjson.Repr(v)
		dumped := pyjson.Dumps(v)
		again, err := pyjson.DecodeString(dumped)
		if err != nil || pyjson.Dumps(again) != dumped {
			t.Errorf("%q became %q, then %q (%v)", doc, dumped, pyjson.Dumps(again), err)
		}
		compact := pyjson.AppendJSON(nil, v, pyjson.Format{Compact: true})
		if bytes.ContainsAny(compact, "NI") { // NaN and Infinity, or a text with such letters
			return
		}
		if !json.Valid(compact) {
			t.Errorf("%q became %q", doc, compact)
		}
		checkMeaning(t, doc, compact)
	})
}

// checkMeaning compares with what encoding/json reads, where it reads the document.
func checkMeaning(t *testing.T, doc, ours []byte) {
	decode := func(text []byte) any {
		var v any
		if json.Unmarshal(text, &v) != nil {
			return nil // such as numbers beyond its range
		}
		return v
	}
	theirs := decode(doc)
	if theirs == nil || !utf8.Valid(doc) || bytes.Contains(doc, []byte(`\u`)) { // it replaces halves of pairs differently
		return
	}
	a, _ := json.Marshal(theirs)
	b, _ := json.Marshal(decode(ours))
	if !bytes.Equal(a, b) {
		t.Errorf("%q: encoding/json reads %s, we %s", doc, a, b)
	}
}

func BenchmarkDecode(b *testing.B) {
	doc := []byte(`{"model": "tiny", "messages": [{"role": "system", "content": "You are a helpful assistant that answers briefly."}, ` +
		`{"role": "user", "content": "What is the capital of France, and how many people live there today?"}], ` +
		`"temperature": 0.7, "max_tokens": 128, "stream": true, "stream_options": {"include_usage": true}, "top_p": 0.95}`)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pyjson.Decode(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkManyKeys(b *testing.B) {
	doc := []byte("{")
	for i := range 1_000_000 {
		doc = append(doc, `"`+strconv.Itoa(i)+`":1,`...)
	}
	doc = append(doc, `"x":1}`...)
	for b.Loop() {
		v, err := pyjson.Decode(doc)
		if err != nil {
			b.Fatal(err)
		}
		if _, ok := v.(*pyjson.Object).Get("999999"); !ok {
			b.Fatal("lost a key")
		}
	}
}
