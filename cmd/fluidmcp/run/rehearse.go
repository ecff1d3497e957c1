package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/rehearse"
)

// loadTime is the value of --mock-load-time: how long a mock takes to load a model.
type loadTime struct {
	text string
	of   func(model string) time.Duration // nil: no time
}

// Set implements pflag.Value.
func (l *loadTime) Set(text string) error {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		l.of = func(string) time.Duration { return d }
	} else if scale, err := strconv.ParseFloat(text, 64); err == nil && scale >= 0 && scale <= 1000 {
		l.of = func(model string) time.Duration {
			return time.Duration(scale * float64(rehearse.LoadTime(model))).Round(time.Millisecond)
		}
	} else {
		return errors.New(`use a time such as "10s", or a number by which an estimate for each model is multiplied, such as 0.1`)
	}
	l.text = text
	return nil
}

// String implements pflag.Value.
func (l *loadTime) String() string { return l.text }

// Type implements pflag.Value.
func (l *loadTime) Type() string { return "time or scale" }

// freePort returns a port of this machine that nobody listens on.
func freePort() (int, error) {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}
