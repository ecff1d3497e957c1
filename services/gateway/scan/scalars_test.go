package scan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/gateway/scan"
)

func scalars(value string, most int) []string {
	var got []string
	scan.Scalars([]byte(value), func(raw []byte) bool {
		got = append(got, string(raw))
		return len(got) < most
	})
	return got
}

func TestScalars(t *testing.T) {
	f := func(value string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, scalars(value, 100)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
	f(`"a"`, "a")
	f(`""`, "")
	f(`-1.5e3`, "-1.5e3")
	f(`[]`)
	f(`{"a":{}}`)
	f(`[1, 2,[true,null ]]`, "1", "2", "true", "null")
	f(`{"role":"user","content":[{"type":"text","text":"hi \"you\" \\"}]}`, "user", "text", `hi \"you\" \\`)
	f(`{ "a\":" : "b:" , "c" :1}`, "b:", "1")
	if got := scalars(`["a","b","c"]`, 2); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("told to stop after two, it visited %q", got)
	}
}

// FuzzScalars: the scalars of a valid value are those that encoding/json finds, and no value at all makes it fail.
func FuzzScalars(f *testing.F) {
	f.Add([]byte(`{"a":[1,2,{"b":null}],"c":"\u00e4\\","d" : -1.5E-3}`))
	f.Add([]byte(`"open`))
	f.Add([]byte(`["a":"b" true"c\`))
	f.Fuzz(func(t *testing.T, value []byte) {
		var got []string
		scan.Scalars(value, func(raw []byte) bool {
			got = append(got, string(raw))
			return true
		})
		if !json.Valid(value) || !utf8.Valid(value) {
			return
		}
		var want []any
		decoder := json.NewDecoder(bytes.NewReader(value))
		decoder.UseNumber()
		var keys []bool // of the open objects and lists: true when a key is next, for an object
		var objects []bool
		for {
			token, err := decoder.Token()
			if err != nil {
				break
			}
			top := len(objects) - 1
			if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
				objects, keys = objects[:top], keys[:top]
				continue
			}
			isKey := top >= 0 && objects[top] && keys[top]
			if top >= 0 {
				keys[top] = !keys[top]
			}
			switch v := token.(type) {
			case json.Delim:
				objects, keys = append(objects, v == '{'), append(keys, true)
			default:
				if !isKey {
					want = append(want, v)
				}
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%q: found %q, want %v", value, got, want)
		}
		for i, v := range want {
			if text, ok := v.(string); ok {
				if decoded, ok := scan.String([]byte(`"` + got[i] + `"`)); !ok || decoded != text {
					t.Fatalf("%q: found %q, want %q", value, got[i], text)
				}
			} else if v != nil && fmt.Sprint(v) != got[i] || v == nil && got[i] != "null" {
				t.Fatalf("%q: found %q, want %v", value, got[i], v)
			}
		}
	})
}
