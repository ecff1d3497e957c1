package integration

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// The ports of the tests lie below those that the kernel gives to clients, so that nobody's connection has one while a test that ended
// a server there starts it again.
const firstPort, lastPort = 21_000, 31_999

// nextPort is where to look on. No port is given out twice, since tests run side by side.
var nextPort = struct {
	sync.Mutex
	port int
}{port: firstPort + rand.IntN(5_000)}

// freePorts returns n ports of the loopback that are free and follow each other.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	nextPort.Lock()
	defer nextPort.Unlock()
	var row []int
	for ; len(row) < n; nextPort.port++ {
		switch port := nextPort.port; {
		case port > lastPort:
			t.Fatalf("no %d free ports up to %d", n, lastPort)
		case free(port):
			row = append(row, port)
		default:
			row = nil
		}
	}
	return row
}

// examplePorts are those that the examples and the guides name. Who takes them has them alone until its test has ended.
var examplePorts sync.Mutex

func takeExamplePorts(t *testing.T) {
	t.Helper()
	examplePorts.Lock()
	t.Cleanup(examplePorts.Unlock)
}

func free(port int) bool {
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		_ = ln.Close()
	}
	return err == nil
}
