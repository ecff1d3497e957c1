package proc

import (
	"os"
	"strings"
)

// Boot is an id that the kernel has drawn when the machine was booted; "" where it does not tell. Containers of a machine share it,
// but not the numbers of processes, so it comes with the namespace that those are of.
func Boot() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id)) + " " + space
}
