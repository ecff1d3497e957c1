package pinned_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/pinned"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, script string) *pinned.Process {
	t.Helper()
	core, _, err := pinned.Cores()
	if err != nil {
		t.Skip(err)
	}
	p, err := pinned.Start(core, t.TempDir(), []string{"GREETING=hello"}, []string{"sh", "-c", script})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// TestChildrenCount: what a child process takes is the server's.
func TestChildrenCount(t *testing.T) {
	p := start(t, `(i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; sleep 60) & wait`)
	for {
		used, err := p.Used()
		if err != nil {
			t.Fatal(err)
		}
		if used.Seconds >= 0.02 && used.Bytes > 0 {
			break
		}
	}
	p.Stop()
	if used, err := p.Used(); err != nil || used.Bytes != 0 {
		t.Errorf("after its end: %+v, %v", used, err)
	}
}

func TestStopInsists(t *testing.T) {
	p := start(t, `trap '' TERM; echo ready; while :; do sleep 1; done`)
	p.Stop()
	<-p.Ended
}

func TestAwaitTellsWhatWasPrinted(t *testing.T) {
	p := start(t, `echo $GREETING; exit 3`)
	err := p.Await(t.Context(), time.Minute, func(context.Context) (int, error) { return 0, errors.New("refused") })
	if err == nil || !strings.Contains(err.Error(), "hello") {
		t.Error(err)
	}
	if err := start(t, `sleep 60`).Await(t.Context(), time.Millisecond, func(context.Context) (int, error) { return 503, nil }); err == nil ||
		!strings.Contains(err.Error(), "503") {
		t.Error(err)
	}
}

// TestAwaitIsNotDeceived: another server answers on the port that the ended one could not have.
func TestAwaitIsNotDeceived(t *testing.T) {
	p := start(t, `exit 1`)
	<-p.Ended
	if err := p.Await(t.Context(), time.Minute, func(context.Context) (int, error) { return 200, nil }); err == nil {
		t.Error("ready, though it ended")
	}
}

func TestNoSuchProgram(t *testing.T) {
	if _, err := pinned.Start(0, t.TempDir(), nil, []string{"/no/such/program"}); err == nil {
		t.Error("started")
	}
}
