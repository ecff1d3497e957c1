package fleet

import "time"

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

// Restarting is the reason of a model that is draining or stopping and then starts anew.
const Restarting = "Restarting"

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
	Reason     string    `json:"reason,omitempty"`  // one word, such as "CrashLoop"
	Message    string    `json:"message,omitempty"` // one sentence for people
	Backends   []Backend `json:"backends"`
	Timeouts   Timeouts  `json:"timeouts,omitzero"`
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
	FirstByte time.Duration `json:"first_byte_ns,omitempty"`
	Idle      time.Duration `json:"idle_ns,omitempty"`
	Total     time.Duration `json:"total_ns,omitempty"`
}

// Heartbeat tells the supervisor what a gateway has applied and what it still carries.
type Heartbeat struct {
	Epoch    string               `json:"epoch"`
	Revision uint64               `json:"revision"`            // of the snapshot that routes new requests
	Inflight map[string]int       `json:"inflight"`            // requests by backend id; absent means 0
	Queued   map[string]int       `json:"queued,omitempty"`    // requests by model id
	LastUsed map[string]time.Time `json:"last_used,omitempty"` // by model id
}
