package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
)

var secretLine = regexp.MustCompile(`^fmcp_[0-9a-f]{64}\n$`)

func TestKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.yaml")
	code, first, said := fluidmcp(t, "keys", "new", "--id", "team", "--rpm", "600", "--tpm", "9000", "--concurrent", "4", "--model", "a,b", "--file", file)
	if code != 0 || !secretLine.MatchString(first) || !strings.Contains(said, "Added team to "+file) {
		t.Fatalf("exit %d, %q, %q", code, first, said)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	_, second, _ := fluidmcp(t, "keys", "new", "--scope", "admin", "--scope", "inference", "--priority", "-5", "--keep-alive", "--expires", "90d", "--file", file)
	ring, err := keys.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := ring.Find(strings.TrimSpace(first)); !ok || k.ID != "team" || k.RequestsPerMinute != 600 || k.TokensPerMinute != 9000 ||
		k.ConcurrentRequests != 4 || len(k.Models) != 2 || k.Allows(keys.Admin) {
		t.Errorf("%+v", k)
	}
	k, ok := ring.Find(strings.TrimSpace(second))
	if !ok || !strings.HasPrefix(k.ID, "key-") || !k.Allows(keys.Admin) || k.Priority != -5 || !k.KeepAlive || k.Check(time.Now().AddDate(0, 0, 89)) != nil {
		t.Errorf("%+v", k)
	}

	code, out, _ := fluidmcp(t, "keys", "check", file)
	if code != 0 || !regexp.MustCompile(`(?m)^  team +valid +inference +a,b +0 +600 +9000 +4 +never$`).MatchString(out) || strings.Contains(out, "sha256") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	code, out, _ = fluidmcp(t, "keys", "check", file, "--json")
	var list struct{ Keys []keys.Key }
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 || len(list.Keys) != 2 || list.Keys[0].ID != "team" || strings.Contains(out, "sha256") {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}

	if code, out, said := fluidmcp(t, "keys", "revoke", "team", "--file", file); code != 0 || out != "team is no longer in "+file+".\n" {
		t.Errorf("exit %d, %q, %q", code, out, said)
	}
	_, third, _ := fluidmcp(t, "keys", "new", "--id", "third", "--file", file, "--json")
	var revoked map[string]string
	code, out, _ = fluidmcp(t, "keys", "revoke", "third", "--file", file, "--json")
	if err := json.Unmarshal([]byte(out), &revoked); err != nil || code != 0 || revoked["revoked"] != "third" || revoked["file"] != file {
		t.Errorf("exit %d, %v: %s, after %s", code, err, out, third)
	}
	if ring, err := keys.Load(file); err != nil || len(ring.Keys()) != 1 || ring.Keys()[0].ID != k.ID {
		t.Errorf("%v, %v", ring, err)
	}
}

// Without a file the entry is printed, ready to be put into one.
func TestKeysPrinted(t *testing.T) {
	code, out, said := fluidmcp(t, "keys", "new", "--id", "a")
	secret, entry, _ := strings.Cut(out, "\n\n")
	ring, err := keys.Parse("keys.yaml", []byte(entry))
	if code != 0 || err != nil || !strings.Contains(said, "shown this once") {
		t.Fatalf("exit %d, %v, %q: %s", code, err, said, out)
	}
	if k, ok := ring.Find(secret); !ok || k.ID != "a" {
		t.Errorf("%v in %s", k, out)
	}
	code, out, said = fluidmcp(t, "keys", "new", "--id", "a", "--json")
	var made struct {
		Secret string
		Key    struct{ ID, Hash string }
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || code != 0 || said != "" || made.Key.ID != "a" || made.Key.Hash != keys.Hash(made.Secret) {
		t.Errorf("exit %d, %v, %q: %s", code, err, said, out)
	}
}

// A file that people wrote keeps its comments and its mode, and a link stays a link.
func TestKeysInAFileOfPeople(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real.json"), filepath.Join(dir, "keys.json")
	if err := os.WriteFile(file, []byte("// who may ask\n{\"keys\": []}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.json", link); err != nil {
		t.Fatal(err)
	}
	if code, _, said := fluidmcp(t, "keys", "new", "--id", "a", "--file", link); code != 0 {
		t.Fatal(said)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "// who may ask") || !strings.Contains(string(text), `"a"`) {
		t.Errorf("%v: %s", err, text)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v, %v", info, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("%v, %v", left, err)
	}
}

// What is refused changes nothing and shows no secret.
func TestKeysRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "keys.yaml")
	if code, _, said := fluidmcp(t, "keys", "new", "--id", "a", "--file", file); code != 0 {
		t.Fatal(said)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.yaml")
	if err := os.WriteFile(broken, []byte("keys: [{id: a, rpm: 1}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(want string, args ...string) {
		t.Helper()
		code, out, said := fluidmcp(t, append([]string{"keys"}, args...)...)
		if code != 1 || out != "" || !strings.Contains(said, want) || strings.Contains(said, "fmcp_") {
			t.Errorf("keys %v: exit %d, %q, %q; want %q", args, code, out, said, want)
		}
	}
	f("keys[1].id: the same as keys[0].id", "new", "--id", "a", "--file", file)
	f(`"root" is not one of inference, admin`, "new", "--scope", "root", "--file", file)
	f(`fluidmcp: key.scopes[0]: "root" is not one of inference, admin`, "new", "--scope", "root")
	f("fluidmcp: key.requests_per_minute: -1 is less than 1", "new", "--rpm", "-1", "--file", file)
	f("1001 is more than 1000", "new", "--priority", "1001")
	f("-1 is less than 1", "new", "--rpm", "-1")
	f(`"a b" is not up to 100 letters`, "new", "--id", "a b")
	f("write 90d, 12h, or a time", "new", "--expires", "soon")
	f("write 90d, 12h, or a time", "new", "--expires", "xd")
	f("that is over already", "new", "--expires", "2020-01-31T00:00:00Z")
	f("rpm: unknown field", "new", "--file", broken)
	f("rpm: unknown field", "check", broken)
	f("no such file or directory", "new", "--file", filepath.Join(dir, "nowhere", "keys.yaml"))
	f("fluidmcp keys new --file", "check", filepath.Join(dir, "none.yaml"))
	f("0 arguments; name one key file: fluidmcp keys check FILE", "check")
	f(`has no key "b"`, "revoke", "b", "--file", file)
	f(`required flag(s) "file" not set`, "revoke", "a")
	f("unknown command", "make")
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("%v: %s", err, after)
	}
}
