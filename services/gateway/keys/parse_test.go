package keys_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
)

// hash is the one of the secret "s" followed by n.
func hash(n int) string { return keys.Hash(fmt.Sprintf("s%d", n)) }

func TestParse(t *testing.T) {
	want := []*keys.Key{
		{ID: "plain", Scopes: []keys.Scope{keys.Inference}},
		{ID: "full", Scopes: []keys.Scope{keys.Inference, keys.Admin}, Models: []string{"llama", "org/m"}, Priority: -5,
			RequestsPerMinute: 600, TokensPerMinute: 100000, ConcurrentRequests: 20, KeepAlive: true,
			Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), Disabled: true},
	}
	for name, text := range map[string]string{
		"a.yaml": `
keys:
  - id: plain
    hash: ` + hash(1) + `
  - id: full # with everything
    hash: ` + hash(2) + `
    scopes: [inference, admin]
    models: [llama, org/m]
    priority: -5
    requests_per_minute: 600
    tokens_per_minute: 100000
    concurrent_requests: 20
    keep_alive: true
    expires: 2027-01-31T00:00:00Z
    disabled: true
`,
		"a.json": `{"keys": [{"id": "plain", "hash": "` + hash(1) + `"}, // a comment
			{"id": "full", "hash": "` + hash(2) + `", "scopes": ["inference", "admin"], "models": ["llama", "org/m"], "priority": -5,
			"requests_per_minute": 600, "tokens_per_minute": 100000, "concurrent_requests": 20, "keep_alive": true,
			"expires": "2027-01-31T00:00:00Z", "disabled": true,},]}`,
	} {
		ring, err := keys.Parse(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, ring.Keys()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if k, ok := ring.Find("s2"); !ok || k.ID != "full" {
			t.Errorf("%s: found %v, %v", name, k, ok)
		}
	}
}

func TestFaults(t *testing.T) {
	const secret = "fmcp_0123456789abcdef0123456789abcdef"
	f := func(text string, want ...string) {
		t.Helper()
		_, err := keys.Parse("k.yaml", []byte(text))
		if err == nil {
			t.Fatalf("no error for %s", text)
		}
		if got := strings.TrimPrefix(err.Error(), "key file k.yaml: "); got != strings.Join(want, "\n") {
			t.Errorf("for %s\ngot  %s\nwant %s", text, got, strings.Join(want, "\n"))
		}
		if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), hash(1)) {
			t.Errorf("the error shows what it must not: %v", err)
		}
	}
	good := "id: a, hash: " + hash(1)
	const noHash = "not sha256: and 64 hexadecimal digits, the hash of the secret; `fluidmcp keys new` makes both"
	f("", "the file is empty; a file without keys says keys: []")
	f("[]", "expected an object, found a list")
	f("{}", "keys: missing; it lists the keys")
	f("keys:", "keys: expected a list, found null")
	f("keys: ["+secret+"]", "keys[0]: expected an object, found a string")
	f("keys: [{}]", "keys[0].id: missing; it is the name of the key in logs", "keys[0].hash: "+noHash)
	f("keys: [{"+good+", requests_per_min: 1, scope: x}]",
		`keys[0].requests_per_min: unknown field; did you mean "requests_per_minute"?`,
		"keys[0].scope: unknown field; did you mean \"scopes\"?")
	f("keys: [{"+good+", requests_per_minute: 0, tokens_per_minute: -1, concurrent_requests: 1.5, priority: 1001}]",
		"keys[0].requests_per_minute: 0 is less than 1", "keys[0].tokens_per_minute: -1 is less than 1",
		"keys[0].concurrent_requests: 1.5 is not a whole number", "keys[0].priority: 1001 is more than 1000")
	f("keys: [{"+good+", scopes: [root], models: [''], expires: tomorrow, disabled: 1}]",
		`keys[0].scopes[0]: "root" is not one of inference, admin`, "keys[0].models[0]: must not be empty",
		`keys[0].expires: "tomorrow" is not a time such as 2027-01-31T00:00:00Z (RFC 3339)`,
		"keys[0].disabled: expected true or false, found a number")
	f("keys: [{"+good+", scopes: [], models: []}]",
		"keys[0].scopes: names no scope; leave it out for inference",
		"keys[0].models: names no model; leave it out for all, or write disabled: true")
	f("keys: [{"+good+"}, {"+good+"}]", "keys[1].id: the same as keys[0].id; each key has its own",
		"keys[1].hash: the same as keys[0].hash; each key has its own")
	f("keys: [{id: a, hash: "+secret+"}]", "keys[0].hash: "+noHash)
	f("keys: [{id: a, hash: "+hash(1)[:70]+"z}]", "keys[0].hash: "+noHash)
	f("keys: [{id: "+secret+", hash: "+hash(2)+"}]", "keys[0].id: this is a secret, not a name; make another key, that one is no secret any more")
	f("keys: [{"+good+", "+secret+": 1}]",
		"keys[0].(a secret): unknown field; known are concurrent_requests, disabled, expires, hash, id, keep_alive, models, priority, requests_per_minute, scopes, tokens_per_minute")
	f(`keys: [{id: "a b", hash: `+hash(1)+"}]", `keys[0].id: "a b" is not up to 100 letters, digits and . _ : @ + / -, beginning with a letter or digit`)
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if _, err := keys.Load(filepath.Join(dir, "none.yaml")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "fluidmcp keys new") {
		t.Errorf("%v", err)
	}
	if _, err := keys.Load(dir); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("%v", err)
	}
	huge := filepath.Join(dir, "huge.yaml")
	if err := errors.Join(os.WriteFile(huge, nil, 0o600), os.Truncate(huge, 1<<30)); err != nil {
		t.Fatal(err)
	}
	endless := filepath.Join(dir, "endless.yaml")
	if err := os.Symlink("/dev/zero", endless); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{huge, endless} {
		if _, err := keys.Load(path); err == nil || !strings.Contains(err.Error(), "more than the 16777216") {
			t.Errorf("%v", err)
		}
	}
}

// A broken version of the file leaves the keys in force that were.
func TestFile(t *testing.T) {
	file := keys.File{Path: filepath.Join(t.TempDir(), "keys.json")}
	load := func(text string) error {
		if err := os.WriteFile(file.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file.Load()
	}
	if err := load(`{"keys": [{"id": "a", "hash": "` + hash(1) + `"}]}`); err != nil {
		t.Fatal(err)
	}
	if err := load(`{"keys": [{"id": "b"}]}`); err == nil {
		t.Error("a broken file was loaded")
	}
	if _, ok := file.Ring().Find("s1"); !ok {
		t.Error("the keys before are gone")
	}
	if err := load(`{"keys": []}`); err != nil || len(file.Ring().Keys()) != 0 {
		t.Errorf("%v, %v", err, file.Ring().Keys())
	}
}

// FuzzParse: whatever the file, there is a ring or an error, and each key of a ring can be found under a name of its own.
func FuzzParse(f *testing.F) {
	f.Add("a.yaml", "keys:\n- {id: a, hash: "+hash(1)+"}\n")
	f.Add("a.json", `{"keys": [{"id": "a", "hash": "`+hash(1)+`", "scopes": ["admin"]}]}`)
	f.Add("a.yaml", "keys: &a\n- *a\n")
	f.Add("a.yaml", "keys: [{id: a, expires: 0000-00-00}]")
	f.Fuzz(func(t *testing.T, name, text string) {
		ring, err := keys.Parse(name, []byte(text))
		if (ring == nil) == (err == nil) {
			t.Fatalf("%v, %v", ring, err)
		}
		if err != nil {
			return
		}
		ids := map[string]bool{}
		for _, k := range ring.Keys() {
			if ids[k.ID] || k.ID == "" || len(k.Scopes) == 0 {
				t.Errorf("%+v", k)
			}
			ids[k.ID] = true
			if _, err := json.Marshal(k); err != nil {
				t.Errorf("%+v: %v", k, err)
			}
		}
	})
}
