// Package version tells which build of FluidMCP this is.
package version

import "runtime/debug"

// override is set by the linker: -X github.com/fluidmcp/fluidmcp/internal/version.override=v1.2.3.
var override string

// Info describes one build.
type Info struct {
	Version   string // release tag, or "dev"
	Revision  string // commit, with "+dirty" when the tree had changes; "unknown" when not recorded
	GoVersion string // toolchain, such as "go1.26.8"
}

// Get reads what the linker and the Go toolchain recorded in this binary.
func Get() Info {
	info := Info{Version: "dev", Revision: "unknown"}
	if build, ok := debug.ReadBuildInfo(); ok {
		info.GoVersion = build.GoVersion
		if v := build.Main.Version; v != "" && v != "(devel)" {
			info.Version = v
		}
		info.Revision = revision(build.Settings)
	}
	if override != "" {
		info.Version = override
	}
	return info
}

func revision(settings []debug.BuildSetting) string {
	rev, dirty := "unknown", ""
	for _, s := range settings {
		switch s.Key {
		case "vcs.revision":
			rev = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "+dirty"
			}
		}
	}
	if rev == "unknown" {
		return rev
	}
	return rev + dirty
}
