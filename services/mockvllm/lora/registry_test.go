package lora

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

func TestRegistry(t *testing.T) {
	whole, empty := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(whole, "adapter_config.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, failed := New(true, false, []string{"base", "alias"}, []Adapter{{Name: "ada", Path: "./not/there"}})
	if failed != nil {
		t.Fatal(failed)
	}
	f := func(got *protocol.Error, status int, message string) {
		t.Helper()
		if status == 0 && got == nil {
			return
		}
		if got == nil || got.Status != status || got.Message != message {
			t.Errorf("%v, want %d %s", got, status, message)
		}
	}
	f(r.Load(Adapter{Name: "bob", Path: whole}, false), 0, "")
	f(r.Load(Adapter{Name: "hub", Path: "org/some-lora.v1"}, false), 0, "")
	f(r.Load(Adapter{Name: "x", Path: "./not/there"}, false), 0, "")
	f(r.Unload("x"), 0, "")
	f(r.Load(Adapter{Name: "", Path: whole}, false), 400, "Both 'lora_name' and 'lora_path' must be provided.")
	f(r.Load(Adapter{Name: "alias", Path: whole}, true), 400, "The lora adapter 'alias' conflicts with a served base model.")
	f(r.Load(Adapter{Name: "bob", Path: whole}, false), 400,
		"The lora adapter 'bob' has already been loaded. If you want to load the adapter in place, set 'load_inplace' to True.")
	f(r.Load(Adapter{Name: "bob", Path: empty}, true), 404, "Loading lora bob failed: No adapter found for "+empty)
	f(r.Load(Adapter{Name: "x", Path: "/no/such"}, false), 404, "Loading lora x failed: No adapter found for /no/such")
	f(r.Load(Adapter{Name: "x", Path: "./nope"}, false), 404, "Loading lora x failed: No adapter found for ./nope")
	worker := func(why string) string {
		return "Call to add_lora method failed: Worker failed with error '" + why + "', please check the stack trace above for the root cause"
	}
	f(r.Load(Adapter{Name: "x", Path: filepath.Join(whole, "adapter_config.json")}, false), 500, worker("[Errno 20] Not a directory: '<path>'"))
	f(r.Load(Adapter{Name: "x", Path: "a\x00b"}, false), 500, worker("embedded null byte"))
	long := strings.Repeat("x", 256)
	f(r.Load(Adapter{Name: "x", Path: long}, false), 500, worker("[Errno 36] File name too long: '"+long+"/adapter_config.json'"))
	f(r.Load(Adapter{Name: "bob", Path: "org/other"}, true), 0, "")
	f(r.Unload(""), 400, "'lora_name' needs to be provided to unload a LoRA adapter.")
	f(r.Unload("x"), 404, "The lora adapter 'x' cannot be found.")
	want := []Adapter{{Name: "ada", Path: "./not/there"}, {Name: "bob", Path: "org/other"}, {Name: "hub", Path: "org/some-lora.v1"}}
	if diff := cmp.Diff(want, r.List()); diff != "" {
		t.Error(diff)
	}
	offline, _ := New(true, true, nil, nil)
	f(offline.Load(Adapter{Name: "hub", Path: "org/some-lora.v1"}, false), 404, "Loading lora hub failed: No adapter found for org/some-lora.v1")
	f(offline.Load(Adapter{Name: "bob", Path: whole}, false), 0, "")
	off, _ := New(false, false, nil, nil)
	f(off.Load(Adapter{Name: "ada", Path: whole}, false), 500, "Call to add_lora method failed: LoRA is not enabled. Use --enable-lora to enable LoRA.")
}
