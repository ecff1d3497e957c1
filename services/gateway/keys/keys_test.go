package keys_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
)

func TestFind(t *testing.T) {
	secret, sum := keys.New()
	other, _ := keys.New()
	if !regexp.MustCompile(`^fmcp_[0-9a-f]{64}$`).MatchString(secret) || secret == other || sum != keys.Hash(secret) {
		t.Fatalf("made %s, %s and %s", secret, sum, other)
	}
	ring, err := keys.Parse("k.yaml", []byte("keys: [{id: a, hash: '"+sum+"'}]"))
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := ring.Find(secret); !ok || k.ID != "a" {
		t.Errorf("%v, %v", k, ok)
	}
	for _, wrong := range []string{"", other, secret[:len(secret)-1], secret + "0", sum, strings.TrimPrefix(sum, "sha256:")} {
		if k, ok := ring.Find(wrong); ok || k != nil {
			t.Errorf("%q is %v", wrong, k)
		}
	}
	if n := testing.AllocsPerRun(100, func() { ring.Find(secret) }); n != 0 {
		t.Errorf("a look-up allocates %v times", n)
	}
	k, _ := ring.Find(secret)
	text, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", *k, *k, *k, text); strings.Contains(shown, strings.TrimPrefix(sum, "sha256:")) {
		t.Errorf("a key shows its hash: %s", shown)
	}
}

func TestCheck(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	f := func(k keys.Key, want error) {
		t.Helper()
		if err := k.Check(now); err != want {
			t.Errorf("%+v: %v", k, err)
		}
	}
	f(keys.Key{}, nil)
	f(keys.Key{Expires: now.Add(1)}, nil)
	f(keys.Key{Expires: now}, keys.ErrExpired)
	f(keys.Key{Disabled: true, Expires: now}, keys.ErrDisabled)
}

func TestRights(t *testing.T) {
	k := keys.Key{Scopes: []keys.Scope{keys.Admin}, Models: []string{"a", "nick"}}
	if !k.Allows(keys.Admin) || k.Allows(keys.Inference) {
		t.Error("a scope contains another")
	}
	if !k.MayUse("a", nil) || !k.MayUse("b", []string{"x", "nick"}) || k.MayUse("b", []string{"c"}) || !(&keys.Key{}).MayUse("b", nil) {
		t.Error("the wrong models")
	}
}

func TestFromHeader(t *testing.T) {
	f := func(want string, header ...string) {
		t.Helper()
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Add(header[i], header[i+1])
		}
		if got := keys.FromHeader(h); got != want {
			t.Errorf("%v: %q, want %q", header, got, want)
		}
		if n := testing.AllocsPerRun(10, func() { keys.FromHeader(h) }); n != 0 {
			t.Errorf("%v: %v allocations", header, n)
		}
	}
	f("")
	f("s", "Authorization", "Bearer s")
	f("s", "authorization", "bearer   s ")
	f("", "Authorization", "Bearer ")
	f("", "Authorization", "Bearers")
	f("", "Authorization", "s")
	f("", "Authorization", "Basic czpz")
	f("s", "Authorization", "Basic czpz", "Authorization", "Bearer s")
	f("x", "x-api-key", "x")
	f("z", "api-key", "z")
	f("s", "api-key", "z", "x-api-key", "x", "Authorization", "Bearer s")
	f("x", "api-key", "z", "x-api-key", "x", "Authorization", "Basic czpz")
	f("z", "api-key", "z", "x-api-key", "")
}

func TestEdit(t *testing.T) {
	for name, text := range map[string]string{
		"new.yaml":       "",
		"none.yaml":      "keys: []\n",
		"block.yaml":     "# on top\nkeys:\n    - id: first # a comment\n      hash: " + hash(1) + "\n",
		"flow.yml":       "keys: [{id: first, hash: '" + hash(1) + "'}] # a comment",
		"new.json":       "",
		"commented.json": "// on top\n{\"keys\": [{\"id\": \"first\", \"hash\": \"" + hash(1) + "\"}, /* a comment */]}",
	} {
		t.Run(name, func(t *testing.T) {
			before := 0
			if strings.Contains(text, "first") {
				before = 1
			}
			added, err := keys.Add(name, []byte(text), keys.NewEntry(&keys.Key{ID: "0123", Scopes: []keys.Scope{keys.Admin}, Models: []string{"m"},
				Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}, hash(2)))
			if err != nil {
				t.Fatal(err)
			}
			ring, err := keys.Parse(name, added)
			if err != nil || len(ring.Keys()) != before+1 {
				t.Fatalf("%v in\n%s", err, added)
			}
			if k, ok := ring.Find("s2"); !ok || k.ID != "0123" || k.Models[0] != "m" || k.Expires.Year() != 2027 || !k.Allows(keys.Admin) {
				t.Errorf("%+v in\n%s", k, added)
			}
			if strings.Count(string(added), "a comment") != strings.Count(text, "a comment") || strings.Contains(text, "on top") != strings.Contains(string(added), "on top") {
				t.Errorf("a comment is lost:\n%s", added)
			}
			if _, err := keys.Add(name, added, keys.NewEntry(&keys.Key{ID: "0123", Scopes: []keys.Scope{keys.Admin}}, hash(3))); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("keys[%d].id: the same as", before+1)) {
				t.Errorf("a second one of the name: %v", err)
			}
			removed, err := keys.Remove(name, added, "0123")
			if err != nil {
				t.Fatal(err)
			}
			if ring, err := keys.Parse(name, removed); err != nil || len(ring.Keys()) != before {
				t.Errorf("%v in\n%s", err, removed)
			}
		})
	}
	want := "keys:\n  - id: a\n    hash: " + hash(1) + "\n    scopes: [inference]\n    requests_per_minute: 5\n"
	if got, err := keys.Add("k.yaml", nil, keys.NewEntry(&keys.Key{ID: "a", Scopes: []keys.Scope{keys.Inference}, RequestsPerMinute: 5}, hash(1))); err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := keys.Remove("k.yaml", []byte(want), "b"); err == nil || !strings.Contains(err.Error(), `no key "b"`) {
		t.Errorf("%v", err)
	}
}

func BenchmarkFind(b *testing.B) {
	var text strings.Builder
	text.WriteString("keys:\n")
	for i := range 10000 {
		fmt.Fprintf(&text, "- {id: k%d, hash: '%s'}\n", i, hash(i))
	}
	ring, err := keys.Parse("k.yaml", []byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	secret, _ := keys.New()
	b.ReportAllocs()
	for b.Loop() {
		ring.Find(secret)
	}
}
