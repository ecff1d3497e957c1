package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/ledger"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// server is this process's end of a guard and of the model server below it.
type server struct {
	guard   *exec.Cmd
	orders  *os.File // to the guard
	reports *os.File // from it
	output  *os.File // of the server
	grace   time.Duration
	entry   ledger.Entry
	ended   chan unit.Exit
	stop    sync.Once
	decoder *json.Decoder // of reports
	copied  chan struct{} // closed once the output is complete
}

func (s *server) PID() int { return s.entry.Server.PID }

func (s *server) Done() <-chan unit.Exit { return s.ended }

// Stop has the guard end the server.
func (s *server) Stop() {
	s.stop.Do(func() { _, _ = fmt.Fprintln(s.orders, s.grace) }) // it fails when the guard is dead, and with it the server
}

// started waits for the guard's word that the server runs, and enters it in the ledger.
func (s *server) started(d *Driver) error {
	s.decoder = json.NewDecoder(s.reports)
	_ = s.reports.SetReadDeadline(time.Now().Add(startGrace))
	var r report
	err := s.decoder.Decode(&r)
	_ = s.reports.SetReadDeadline(time.Time{})
	switch {
	case errors.Is(err, io.EOF):
		return fault(d.Argv[0], "its guard ended at once", false)
	case err != nil:
		return fault(d.Argv[0], "its guard: "+err.Error(), false)
	case r.Started == nil:
		return fault(d.Argv[0], r.Fault, r.Permanent)
	}
	guard, _ := proc.Of(s.guard.Process.Pid)
	s.entry = ledger.Entry{Guard: guard, Server: *r.Started}
	d.Ledger.Enter(d.Name, s.entry)
	return nil
}

// abandon ends a guard that has started nothing.
func (s *server) abandon() {
	_ = s.guard.Process.Kill()
	_ = s.guard.Wait()
	s.close()
}

func (s *server) close() {
	for _, f := range []*os.File{s.orders, s.reports, s.output} {
		_ = f.Close() // nil where it could not be opened
	}
}

// run sees the server to its end and cleans up behind it.
func (s *server) run(d *Driver) {
	go func() {
		defer close(s.copied)
		_, _ = io.Copy(d.Output, s.output) // ends with the last writer, or when output is closed below
	}()
	var r report
	err := s.decoder.Decode(&r)
	_ = s.guard.Wait() // only how the server ended matters
	end := unit.Exit{At: time.Now()}
	if err == nil && r.Ended != nil {
		end.Code, end.Signal, end.OOM = r.Ended.Code, r.Ended.Signal, r.Ended.OOM
	} else { // the guard was killed, and the kernel has killed the server with it
		end.Code, end.Signal = 137, "killed"
		d.Ledger.End(d.Name)
	}
	d.Ledger.Remove(d.Name)
	late := time.AfterFunc(outputGrace, func() { _ = s.output.Close() })
	<-s.copied
	late.Stop()
	s.close()
	s.ended <- end
}
