package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
)

// listeners are the two addresses of the program itself.
type listeners struct{ gateway, supervisor net.Listener }

func (l listeners) close() {
	for _, ln := range []net.Listener{l.gateway, l.supervisor} {
		if ln != nil {
			_ = ln.Close() // the service that used it has closed it already
		}
	}
}

// portOfModel is what frees a model from a port that is taken, perhaps by the very server that was meant.
const portOfModel = "the port in the file; to use the server that runs there, give the model endpoints alone, without a command"

// listen opens the program's own ports and looks whether those of the models are free.
func (o *options) listen(ctx context.Context, file *manifest.File) (listeners, error) {
	var l listeners
	var faults []error
	owners := map[int]string{}
	open := func(host string, port int, who, mend string) net.Listener {
		ln, err := web.Listen(ctx, net.JoinHostPort(host, strconv.Itoa(port)))
		switch {
		case err == nil:
			owners[port] = who
			return ln
		case errors.Is(err, syscall.EADDRINUSE):
			holder := cmp.Or(owners[port], "another process")
			faults = append(faults, fmt.Errorf("port %d of %s is in use by %s: free it or change %s", port, who, holder, mend))
		default:
			faults = append(faults, fmt.Errorf("listen for %s: %w", who, err))
		}
		return nil
	}
	l.gateway = open(o.host, o.port, "the gateway", "--port")
	l.supervisor = open("127.0.0.1", o.supervisorPort, "the supervisor", "--supervisor-port")
	if file != nil {
		for _, p := range file.Ports() {
			if ln := open("127.0.0.1", p.Port, fmt.Sprintf("model %q", p.Model), portOfModel); ln != nil {
				faults = append(faults, ln.Close())
			}
		}
	}
	return l, errors.Join(faults...)
}
