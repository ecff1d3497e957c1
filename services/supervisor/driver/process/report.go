package process

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
)

// reportFile is the number of the file on which a guard writes its reports, the first one that os/exec hands on.
const reportFile = 3

// report is what a guard says, one JSON value after another: that the server has been started or why it could not be, and later how
// it has ended.
type report struct {
	Started   *proc.ID `json:"started,omitempty"`
	Fault     string   `json:"fault,omitempty"`
	Permanent bool     `json:"permanent,omitempty"` // of Fault: another try would not help
	Ended     *exit    `json:"ended,omitempty"`
}

// exit is how a server ended, see unit.Exit.
type exit struct {
	Code   int    `json:"code"`
	Signal string `json:"signal,omitempty"`
	OOM    bool   `json:"oom,omitempty"`
}

func send(w io.Writer, r report) error {
	if err := json.NewEncoder(w).Encode(r); err != nil {
		return fmt.Errorf("report to the supervisor: %w", err)
	}
	return nil
}
