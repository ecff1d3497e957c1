package classify

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// KernelKills counts the processes that the kernel has killed for lack of memory: on the machine, and once more in the control group of
// this process, because a container may see only one of both. It is 0 where neither can be read. A count that grows while a server
// runs, which is then killed, tells who did it.
func KernelKills() int {
	kills := counter(os.DirFS("/proc"), "vmstat", "oom_kill")
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return kills
	}
	if _, group, ok := strings.Cut(string(own), "0::"); ok { // cgroup v2
		group, _, _ = strings.Cut(group, "\n")
		kills += counter(os.DirFS("/sys/fs/cgroup"), strings.TrimPrefix(path.Join(group, "memory.events"), "/"), "oom_kill")
	}
	return kills
}

// counter reads one of a file's "name number" lines; 0 when it is not there.
func counter(dir fs.FS, file, name string) int {
	text, err := fs.ReadFile(dir, file)
	if err != nil {
		return 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if number, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, _ := strconv.Atoi(number)
			return n
		}
	}
	return 0
}
