package ledger

import (
	"maps"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
)

// Entry is one model server.
type Entry struct {
	Guard   proc.ID   `json:"guard"`             // its parent
	Server  proc.ID   `json:"server"`            // leads a session of its own
	Workers []proc.ID `json:"workers,omitempty"` // all else that was below the guard when it was last looked at
}

// look finds the workers. It tells whether they are others than before.
func (e *Entry) look(table proc.Table) bool {
	if table[e.Guard.PID].ID != e.Guard {
		return false // what was below it is somewhere else now
	}
	now := slices.DeleteFunc(table.Below(e.Guard.PID), func(id proc.ID) bool { return id == e.Server })
	slices.SortFunc(now, func(a, b proc.ID) int { return a.PID - b.PID })
	same := slices.Equal(now, e.Workers)
	e.Workers = now
	return !same
}

// left is what of the entry still runs. A number that is a stranger's by now finds nothing.
func (e Entry) left(table proc.Table) []proc.ID {
	left := map[proc.ID]bool{}
	ours := false // the session that has the server's number
	for _, id := range append([]proc.ID{e.Guard, e.Server}, e.Workers...) {
		p := table[id.PID]
		if id.PID == 0 || p.ID != id {
			continue
		}
		left[id] = true
		ours = ours || p.Session == e.Server.PID
		for _, below := range table.Below(id.PID) {
			left[below] = true
		}
	}
	if ours { // no other session gets the number as long as a single process is in this one
		for _, id := range table.Session(e.Server.PID) {
			left[id] = true
		}
	}
	return slices.SortedFunc(maps.Keys(left), func(a, b proc.ID) int { return a.PID - b.PID })
}

// describe names processes for people.
func describe(table proc.Table, ids []proc.ID) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = table[id.PID].String()
	}
	return strings.Join(names, ", ")
}
