package board

import (
	"errors"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

var errNotReconciled = errors.New("the models have not been looked at for the first time yet")

// Snapshot is the fleet for gateways, with the API keys of its servers if they may have them. There is none before every unit has
// begun: a gateway would take that for an empty fleet.
func (b *Board) Snapshot(keys bool) (fleet.Snapshot, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silent > 0 {
		return fleet.Snapshot{}, errNotReconciled
	}
	snapshot := fleet.Snapshot{Epoch: b.Epoch, Revision: b.revision, Models: make([]fleet.Model, 0, len(b.models))}
	for _, m := range b.models {
		snapshot.Models = append(snapshot.Models, m.fleet(keys))
	}
	return snapshot, nil
}

// fleet is a model as gateways see it. The board is locked.
func (m *Model) fleet(keys bool) fleet.Model {
	first := m.Foremost()
	out := fleet.Model{
		ID: m.ID, Aliases: m.Aliases, ServedName: m.ServedName,
		Phase: first.Phase, Reason: string(first.Reason), Message: Message(first.State), OnDemand: first.Desired == unit.OnDemand,
		Routing: m.Routing, Limits: m.Limits,
		Timeouts: fleet.Timeouts{Connect: m.Timeouts.Connect, FirstByte: m.Timeouts.FirstByte, Idle: m.Timeouts.Idle, Total: m.Timeouts.Total, Load: m.Timeouts.Load},
		Backends: make([]fleet.Backend, 0, len(m.Servers)),
	}
	for _, i := range m.Servers {
		b := fleet.Backend{ID: i.ID, URL: i.Dial, Routable: i.Status.Routable(), Weight: i.Weight}
		if keys {
			b.APIKey = m.APIKey.Reveal()
		}
		out.Backends = append(out.Backends, b)
	}
	return out
}
