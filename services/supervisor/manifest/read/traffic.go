package read

import (
	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// routing reads the fields of routing. Whether the models that it names exist, check tells.
func routing(o *strict.Object) fleet.Routing {
	r := fleet.Routing{
		Policy:        fleet.Policy(o.Choice("policy")),
		SessionHeader: o.Header("session_header"),
		Hedge:         o.Yes("hedge"),
	}
	for _, share := range o.Objects("canary") {
		share.Need("model", "the id of the model that gets this part of the traffic")
		share.Need("percent", "its part, such as 5")
		r.Canary = append(r.Canary, fleet.Share{Model: share.Text("model"), Percent: share.Percent("percent")})
	}
	r.Fallbacks = o.IDs("fallbacks")
	return r
}

// limits reads the fields of limits.
func limits(o *strict.Object) fleet.Limits {
	return fleet.Limits{
		Inflight:     o.Whole("inflight"),
		Queue:        o.Whole("queue"),
		QueueTimeout: o.Duration("queue_timeout"),
		KeepAlive:    o.Yes("keep_alive"),
	}
}
