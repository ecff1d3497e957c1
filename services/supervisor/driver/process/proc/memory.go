package proc

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// OOMKills counts the processes that the kernel has killed because memory ran out: those of this process's control group, or, where
// that does not tell, those of the machine. It is 0 where nobody tells.
func OOMKills() uint64 {
	for _, path := range []string{groupFile(), "/proc/vmstat"} {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(line, "oom_kill "); ok {
				n, _ := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
				return n
			}
		}
	}
	return 0
}

// groupFile is where the control group of memory counts, see cgroups(7); "" when it cannot be found.
func groupFile() string {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) { // "0::/path" in version 2, "9:memory:/path" in version 1
		_, controllers, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, path, _ := strings.Cut(controllers, ":")
		if controllers == "memory" {
			return filepath.Join("/sys/fs/cgroup/memory", path, "memory.oom_control")
		}
		if controllers == "" {
			file := filepath.Join("/sys/fs/cgroup", path, "memory.events")
			if _, err := os.Stat(file); err == nil {
				return file
			}
		}
	}
	return ""
}
