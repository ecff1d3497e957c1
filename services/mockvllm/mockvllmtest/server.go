package mockvllmtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
)

// Server is a running server. What goes wrong in its methods fails the test, and panics without one.
type Server struct {
	URL string // http://127.0.0.1:PORT; the API's is URL + "/v1"

	mock    *mockvllm.Server
	virtual bool // its clock
	client  *http.Client
	stop    context.CancelFunc
	ended   chan error
	once    sync.Once
	test    testing.TB // nil for one of New
	helper  func()     // its Helper: what fails is the line of the test
}

// Start runs a server until the test ends.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	s, err := start(opts)
	if err != nil {
		t.Fatalf("mockvllmtest: %v", err)
	}
	s.test, s.helper = t, t.Helper
	t.Cleanup(s.Close)
	return s
}

// New runs a server until Close, for TestMain and examples.
func New(opts ...Option) *Server {
	s, err := start(opts)
	if err != nil {
		panic("mockvllmtest: " + err.Error())
	}
	return s
}

func start(opts []Option) (*Server, error) {
	set := settings{cfg: mockvllm.Default()}
	set.cfg.Model, set.cfg.ServedNames = "mock-model", []string{"mock-model"}
	for _, o := range opts {
		if err := o(&set); err != nil {
			return nil, err
		}
	}
	log := &startLog{ready: make(chan struct{})}
	mock, err := mockvllm.New(set.cfg, mockvllm.Deps{Console: log})
	if err != nil {
		return nil, err
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a port: %w", err)
	}
	if set.rules.Rules != nil {
		mock.SetFaults(set.rules)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{URL: "http://" + ln.Addr().String(), mock: mock, virtual: set.cfg.Mock.Clock == "virtual", client: &http.Client{Transport: &http.Transport{}}, stop: stop,
		ended: make(chan error, 1), helper: func() {}}
	go func() { s.ended <- mock.Run(ctx, ln) }()
	<-log.ready
	return s, nil
}

// startLog waits for the line that says that the server is ready.
type startLog struct {
	ready chan struct{}
	once  sync.Once
}

func (l *startLog) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "Application startup complete.") {
		l.once.Do(func() { close(l.ready) })
	}
	return len(p), nil
}

var _ io.Writer = (*startLog)(nil)

func (s *Server) fail(err error) {
	if s.test == nil {
		panic("mockvllmtest: " + err.Error())
	}
	s.helper()
	s.test.Fatalf("mockvllmtest: %v", err)
}

// Close ends the server and waits until nothing of it runs. Requests in flight get the finish reason "abort". It may be
// called twice.
func (s *Server) Close() {
	s.once.Do(func() {
		s.mock.SetFaults(faults.Set{}) // some of which would keep it
		s.stop()
		err := <-s.ended
		s.client.CloseIdleConnections()
		if err != nil {
			s.fail(err)
		}
	})
}

// Client is an HTTP client whose connections end with the server.
func (s *Server) Client() *http.Client { return s.client }

// SetFaults replaces all rules; their windows and counts begin now. Rules are JSON as PUT /mock/faults takes it.
func (s *Server) SetFaults(rules string) {
	s.helper()
	set, err := faults.Parse([]byte(rules))
	if err != nil {
		s.fail(err)
	}
	s.mock.SetFaults(set)
}

// Advance moves the virtual clock, and returns once all that was due by then is done, for all requests that are in flight: see
// WaitInFlight.
func (s *Server) Advance(d time.Duration) {
	s.helper()
	if !s.virtual {
		s.fail(errors.New("the clock is the machine's; start with the option VirtualClock"))
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.mock.Advance(ctx, d); err != nil {
		s.fail(err)
	}
}

// patience is how long what has to happen may take on a busy machine.
const patience = time.Minute

// Requests are the newest that are over, the oldest first. One whose answer a client has just read may not be among them yet.
func (s *Server) Requests() []journal.Record { return s.mock.Journal().List("").Requests }

// WaitRequests returns the requests once n or more are over.
func (s *Server) WaitRequests(n int) []journal.Record {
	s.helper()
	s.wait(fmt.Sprintf("%d requests to be over", n), func() bool { return s.Stats().Requests >= n })
	return s.Requests()
}

// WaitInFlight waits until so many requests are in flight.
func (s *Server) WaitInFlight(n int) {
	s.helper()
	s.wait(fmt.Sprintf("%d requests to be in flight", n), func() bool { return s.Stats().InFlight == int64(n) })
}

func (s *Server) wait(what string, until func() bool) {
	s.helper()
	for deadline := time.Now().Add(patience); !until(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.fail(fmt.Errorf("waited too long for %s: %+v", what, s.Stats()))
			return
		}
	}
}

// Stats are counts of all requests.
func (s *Server) Stats() journal.Stats { return s.mock.Journal().Stats() }

// Forget empties the record.
func (s *Server) Forget() { s.mock.Journal().Clear() }
