package store

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes this binary a writer of events when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "write-events" {
		writeEvents(os.Args[2], os.Args[3])
		return
	}
	goleak.VerifyTestMain(m)
}
