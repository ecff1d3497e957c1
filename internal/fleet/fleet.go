package fleet

import (
	"slices"
	"time"
)

// Phase is where a model is in its life (see the drawing in services/supervisor/unit).
type Phase string

// The phases of a model.
const (
	Stopped   Phase = "stopped"
	Pending   Phase = "pending"
	Starting  Phase = "starting"
	Ready     Phase = "ready"
	Unhealthy Phase = "unhealthy"
	Draining  Phase = "draining"
	Stopping  Phase = "stopping"
	Backoff   Phase = "backoff"
	Failed    Phase = "failed"
)

// KeyHeader is the header in which a gateway tells the supervisor whose API key came with what it hands on: the id of the key.
const KeyHeader = "X-Fluidmcp-Key"

// Restarting is the reason of a model that is draining or stopping and then starts anew.
const Restarting = "Restarting"

// Removed is the reason of a model that is being taken away for good.
const Removed = "Removed"

// SupervisorEnding is the reason of a model that ends with its supervisor, and starts anew with the next one.
const SupervisorEnding = "SupervisorEnding"

// Snapshot is everything a gateway has to know, at one moment.
type Snapshot struct {
	Epoch    string  `json:"epoch"`    // names one run of the supervisor; revisions of two epochs do not compare
	Revision uint64  `json:"revision"` // grows with every change within an epoch
	Models   []Model `json:"models"`   // ordered by ID
}

// Model is one entry of the models file and where its traffic can go.
type Model struct {
	ID         string    `json:"id"`
	Aliases    []string  `json:"aliases,omitempty"`
	ServedName string    `json:"served_name,omitempty"` // what the model server itself calls it; "" leaves requests' names alone
	Phase      Phase     `json:"phase"`
	Reason     string    `json:"reason,omitempty"`    // one word, such as "CrashLoop"
	Message    string    `json:"message,omitempty"`   // one sentence for people
	OnDemand   bool      `json:"on_demand,omitempty"` // requests start it: a gateway holds them and tells in Heartbeat.Queued
	Backends   []Backend `json:"backends"`
	Routing    Routing   `json:"routing,omitzero"`
	Limits     Limits    `json:"limits,omitzero"`
	Timeouts   Timeouts  `json:"timeouts,omitzero"`
}

// Coming tells of a model of which no backend takes requests whether one will, by itself or because a request wants it.
func (m Model) Coming() bool {
	if slices.ContainsFunc(m.Backends, func(b Backend) bool { return b.Routable }) {
		return false
	}
	switch m.Phase {
	case Pending, Starting, Backoff, Unhealthy:
		return true
	case Failed:
		return false
	}
	return m.Reason != Removed && (m.OnDemand || m.Reason == Restarting || m.Reason == SupervisorEnding)
}

// Policy is how a gateway chooses among the backends of a model.
type Policy string

// The policies.
const (
	LeastLoad      Policy = "least_load"      // the less loaded of two drawn at random; the default
	PrefixAffinity Policy = "prefix_affinity" // requests whose prompts begin alike go to the same backend, so that its prefix cache hits
	RoundRobin     Policy = "round_robin"     // one after the other
	Weighted       Policy = "weighted"        // in proportion to Backend.Weight
)

// Policies are all of them.
var Policies = []Policy{LeastLoad, PrefixAffinity, RoundRobin, Weighted}

// Routing is where the requests for a model go.
type Routing struct {
	Policy        Policy   `json:"policy,omitempty"`         // "" means LeastLoad
	SessionHeader string   `json:"session_header,omitempty"` // requests with the same value of this header go to the same backend
	Canary        []Share  `json:"canary,omitempty"`         // parts of the traffic that another model answers
	Fallbacks     []string `json:"fallbacks,omitempty"`      // ids of models that answer, in this order, when this one cannot
	Hedge         bool     `json:"hedge,omitempty"`          // ask a second backend when the first is slower than 95 % of the answers before
}

// Share is a part of a model's traffic.
type Share struct {
	Model   string  `json:"model"`   // id
	Percent float64 `json:"percent"` // over 0; all shares of a model together at most 100
}

// Limits bound what a gateway lets through to a model.
type Limits struct {
	Inflight     int           `json:"inflight,omitempty"`         // requests at its backends; 0 means no limit, so nothing queues
	Queue        int           `json:"queue,omitempty"`            // requests that wait for their turn; 0 keeps the gateway's
	QueueTimeout time.Duration `json:"queue_timeout_ns,omitempty"` // the longest wait; 0 keeps the gateway's
	KeepAlive    bool          `json:"keep_alive,omitempty"`       // requests wait for a model that is loading, streams hear comments while they wait
}

// Backend is one model server.
type Backend struct {
	ID       string `json:"id"`       // unique in the fleet and stable over restarts, such as "mock-llm-0"
	URL      string `json:"url"`      // base without the API version: http://127.0.0.1:8001
	Routable bool   `json:"routable"` // new requests may go there
	Weight   int    `json:"weight"`   // relative share of traffic, at least 1
	APIKey   string `json:"api_key,omitempty"`
}

// Timeouts override the gateway's for one model; 0 keeps the gateway's.
type Timeouts struct {
	Connect   time.Duration `json:"connect_ns,omitempty"`
	FirstByte time.Duration `json:"first_byte_ns,omitempty"`
	Idle      time.Duration `json:"idle_ns,omitempty"`
	Total     time.Duration `json:"total_ns,omitempty"`
	Load      time.Duration `json:"load_ns,omitempty"`
}

// Heartbeat tells the supervisor what a gateway has applied and what it still carries.
type Heartbeat struct {
	Epoch    string               `json:"epoch"`
	Revision uint64               `json:"revision"`            // of the snapshot that routes new requests
	Inflight map[string]int       `json:"inflight"`            // requests by backend id; absent means 0
	Queued   map[string]int       `json:"queued,omitempty"`    // requests by model id that wait for their turn, or for the model to be there
	LastUsed map[string]time.Time `json:"last_used,omitempty"` // by model id: when the end of its last request was noticed, by the gateway's clock
}
