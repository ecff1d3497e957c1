package process

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"syscall"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// free looks whether the server could listen. A stranger who does already would be taken for the server.
func (d *Driver) free() error {
	at, err := url.Parse(d.URL)
	if err != nil || at.Port() == "" {
		return nil
	}
	ln, err := net.Listen("tcp", at.Host)
	if err == nil {
		return ln.Close()
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil // the server may know better, for instance when it runs on another machine
	}
	return d.taken(proc.Listeners(d.port()))
}

// Serving is asked when the server seems to be ready, and writes down what that has started by then. It is an error when what listens
// where the server should is somebody else: it may have come while the server was loading.
func (d *Driver) Serving() error {
	sockets := proc.Listeners(d.port())
	if len(sockets) == 0 {
		return nil // nobody knows
	}
	for _, id := range d.Ledger.Look(d.Name) {
		if id.Holds(sockets) {
			return nil
		}
	}
	return d.taken(sockets)
}

func (d *Driver) port() int {
	at, err := url.Parse(d.URL)
	if err != nil {
		return 0
	}
	port, _ := strconv.Atoi(at.Port()) // 0 has no listeners
	return port
}

func (d *Driver) taken(sockets []string) error {
	who := "another process"
	if p, ok := proc.Read().Holder(sockets); ok {
		who = p.String()
	}
	return &unit.Finding{Reason: unit.PortInUse,
		Message: fmt.Sprintf("port %d is in use by %s: end it, or give the model another port", d.port(), who)}
}
