package fields

import (
	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// trafficFields say what the gateways do with the requests.
var trafficFields = []strict.Field{
	{Name: "routing", Type: strict.TypeObject, Remote: true, Example: map[string]any{"policy": "round_robin", "fallbacks": []any{"partner"}},
		Doc: "Which of its servers answers a request, and when another model does.",
		Fields: []strict.Field{
			{Name: "policy", Type: strict.TypeChoice, Choices: policies(), Default: string(fleet.LeastLoad), Example: "prefix_affinity",
				Doc: "How a server is chosen: least_load takes the less loaded of two drawn at random, prefix_affinity the same one for prompts " +
					"that begin alike, so that its prefix cache hits, round_robin one after the other, weighted in proportion to weight."},
			{Name: "session_header", Type: strict.TypeHeader, Example: "X-Session-Id",
				Doc: "Requests with the same value of this header go to the same server, whatever the policy."},
			{Name: "canary", Type: strict.TypeObjects, Example: []any{map[string]any{"model": "llama-next", "percent": 5}},
				Doc: "Other models of this file that answer a part of the traffic; together at most 100 percent.",
				Fields: []strict.Field{
					{Name: "model", Type: strict.TypeID, Needed: true, Doc: "The id of the other model.", Example: "llama-next"},
					{Name: "percent", Type: strict.TypePercent, Needed: true, Doc: "Its part of the requests, such as 5 or 0.5.", Example: 0.5},
				}},
			{Name: "fallbacks", Type: strict.TypeIDs, Example: []any{"partner"},
				Doc: "The ids of models of this file that answer, in this order, when this one cannot."},
			{Name: "hedge", Type: strict.TypeYesNo, Default: false, Example: true,
				Doc: "Whether a second server is asked too when the first is slower than 95 % of the answers before. The quicker one wins; it costs work twice."},
		}},
	{Name: "limits", Type: strict.TypeObject, Remote: true, Example: map[string]any{"inflight": 64, "queue": 200, "queue_timeout": 10},
		Doc: "How much each gateway lets through to the model at a time.",
		Fields: []strict.Field{
			{Name: "inflight", Type: strict.TypeWhole, Min: 1, Max: mostRequests, Absent: "no limit", Example: 64,
				Doc: "Requests at its servers. More wait in the queue."},
			{Name: "queue", Type: strict.TypeWhole, Min: 1, Max: mostRequests, Absent: "that of the gateway", Example: 200,
				Doc: "Requests that wait for their turn. More are refused at once."},
			{Name: "queue_timeout", Type: strict.TypeDuration, Absent: "that of the gateway", Example: 10,
				Doc: "The longest wait in the queue. Then the request is refused."},
			{Name: "keep_alive", Type: strict.TypeYesNo, Default: false, Example: true,
				Doc: "Whether requests wait for a model that has no server at the moment, instead of getting a 503, also when one has died under them. " +
					"Streams hear comments meanwhile."},
		}},
}

// mostRequests is more than a gateway can carry.
const mostRequests = 1_000_000

func policies() []string {
	names := make([]string, len(fleet.Policies))
	for i, p := range fleet.Policies {
		names[i] = string(p)
	}
	return names
}
