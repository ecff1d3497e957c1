package report

// Visit is what one visit has measured. What could not be measured is 0.
type Visit struct {
	AddedP50 float64 `json:"added_p50_us"`
	AddedP99 float64 `json:"added_p99_us"`
	// The same of the first events of streams.
	FirstAddedP50 float64 `json:"first_event_added_p50_us"`
	FirstAddedP99 float64 `json:"first_event_added_p99_us"`

	PerSecond  float64 `json:"requests_per_second"`
	RequestCPU float64 `json:"request_cpu_us"`
	ChunkCPU   float64 `json:"chunk_cpu_us"`
	FirstP99   float64 `json:"first_event_p99_ms"`
	GapP99     float64 `json:"gap_p99_ms"`
	IdleMB     float64 `json:"idle_mb"`
	StreamsMB  float64 `json:"streams_mb"`
	CrowdMB    float64 `json:"streams_and_idle_connections_mb"`
	LongestGap float64 `json:"longest_gap_ms"` // with these streams and idle connections
	Unfinished int64   `json:"unfinished_streams"`
	IdleOpened int     `json:"idle_connections"`
	IdleLost   int     `json:"idle_connections_lost"`
	Failed     int64   `json:"failed_requests"`
	Foreign    float64 `json:"foreign_cpu"` // largest share of the machine that processes without a part in it had
	Urgent     bool    `json:"urgent"`      // latencies and processor time were measured at real-time priority
	Probes     Probes  `json:"probes"`
}

// Probes are what became of requests when something ends before its time. What was not found out is "".
type Probes struct {
	Killed      string  `json:"killed"`     // what the client sees of a stream whose upstream is killed
	Back        float64 `json:"back_ms"`    // from the upstream's restart to the next answer
	LeftPlain   string  `json:"left_plain"` // how soon the upstream hears that the client left
	LeftStream  string  `json:"left_stream"`
	NextRequest string  `json:"next_request"` // the answer to a request after 20 clients left
}
