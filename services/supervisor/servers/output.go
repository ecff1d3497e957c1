package servers

import (
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/classify"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Launching is called before each start of an instance after the first: what is printed from then on is another server's.
func (l *Listener) Launching(why unit.Reason) {
	l.last.cause = why
	l.servers.Metrics.Restarted(l.of.Model.ID, why)
	l.of.Output.Begin()
	watchOutput(l.of)
}

// watchOutput has the unit learn from the output how far the start is.
func watchOutput(i *board.Instance) {
	i.Output.Observe(classify.NewScanner(i.Runner.Progressed).Line)
}

// explain says why a server ended that should not have.
func explain(i *board.Instance, exit unit.Exit) unit.Finding {
	return classify.Explain(exit, i.Output.Present(classify.Window))
}

// rememberCrash keeps the last lines of a server that has failed with what is known of its end. save writes them to the disk. The board
// is not locked, since the logs have a lock of their own that waits for all who print; before is what the board has, because only
// this goroutine changes it.
func rememberCrash(i *board.Instance, before, now unit.Status) (save func()) {
	if now.Policy.Remote || now.FailedAt.Equal(before.FailedAt) {
		return func() {}
	}
	crash := logs.Crash{At: now.FailedAt, Reason: string(now.Failure.Reason), Message: now.Failure.Message}
	if before.LastExit != now.LastExit { // else it did not even start
		crash.Code, crash.Signal = now.LastExit.Code, now.LastExit.Signal
	}
	return i.Output.Crashed(crash)
}
