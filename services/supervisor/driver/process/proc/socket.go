package proc

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
)

// listening is the state of a socket in /proc/net/tcp.
const listening = "0A"

// Listeners returns the sockets of this machine that listen on a TCP port, on whatever address, as links in /proc name them:
// "socket:[4711]".
func Listeners(port int) []string {
	var sockets []string
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		file, err := os.Open(table)
		if err != nil {
			continue
		}
		suffix := fmt.Sprintf(":%04X", port)
		for lines := bufio.NewScanner(file); lines.Scan(); {
			// sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
			if f := strings.Fields(lines.Text()); len(f) > 9 && f[3] == listening && strings.HasSuffix(f[1], suffix) {
				sockets = append(sockets, "socket:["+f[9]+"]")
			}
		}
		_ = file.Close()
	}
	return sockets
}

// Holds tells whether a process has one of the sockets. Of another user's process nobody is told.
func (id ID) Holds(sockets []string) bool {
	folder := fmt.Sprintf("/proc/%d/fd", id.PID)
	files, err := os.ReadDir(folder)
	if err != nil {
		return false
	}
	for _, file := range files {
		if target, err := os.Readlink(folder + "/" + file.Name()); err == nil && slices.Contains(sockets, target) {
			return true
		}
	}
	return false
}

// Holder finds the process that has one of the sockets.
func (t Table) Holder(sockets []string) (Process, bool) {
	if len(sockets) == 0 {
		return Process{}, false
	}
	for _, p := range t {
		if p.Holds(sockets) {
			return p, true
		}
	}
	return Process{}, false
}
