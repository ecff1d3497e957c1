package version

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestGet(t *testing.T) {
	info := Get()
	if info.Version == "" || info.Revision == "" || info.GoVersion != runtime.Version() {
		t.Fatalf("incomplete build info: %+v", info)
	}
}

func TestRevision(t *testing.T) {
	f := func(want string, settings ...debug.BuildSetting) {
		t.Helper()
		if got := revision(settings); got != want {
			t.Errorf("revision(%v) = %q, want %q", settings, got, want)
		}
	}
	f("unknown")
	f("unknown", debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	f("abc", debug.BuildSetting{Key: "vcs.revision", Value: "abc"})
	f("abc+dirty", debug.BuildSetting{Key: "vcs.revision", Value: "abc"}, debug.BuildSetting{Key: "vcs.modified", Value: "true"})
}
