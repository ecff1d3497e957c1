package external_test

import (
	"testing"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/external"
)

func TestStopEndsTheWatchOnce(t *testing.T) {
	server, err := external.Driver{}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if server.PID() != 0 {
		t.Errorf("pid %d of a server that is not ours", server.PID())
	}
	select {
	case exit := <-server.Done():
		t.Fatalf("ended by itself: %v", exit)
	default:
	}
	server.Stop()
	server.Stop()
	exit := <-server.Done()
	if exit.Code != 0 || exit.Signal != "" || exit.At.IsZero() {
		t.Errorf("exit %+v", exit)
	}
}
