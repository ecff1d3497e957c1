package result

// Summary is what was measured. The warm-up is only in what the client did.
type Summary struct {
	Seconds           float64                 `json:"seconds"` // from the first request to the end of the last answer that succeeded
	Requests          Requests                `json:"requests"`
	ErrorRate         float64                 `json:"error_rate"`          // failed of all that ended, 0 to 1
	SentPerSecond     float64                 `json:"sent_per_second"`     // from the first sending to the last
	RequestsPerSecond float64                 `json:"requests_per_second"` // those that succeeded
	TokensPerSecond   float64                 `json:"tokens_per_second"`   // output tokens of requests that succeeded
	Tokens            Tokens                  `json:"tokens"`
	Latencies         map[string]Distribution `json:"latencies"` // by name; in milliseconds; only requests that succeeded
	Failures          []Failure               `json:"failures"`  // most frequent first
	Series            Series                  `json:"series"`

	Lag        *Distribution `json:"-"` // how much later than possible requests of an open loop were sent
	Unreported int           `json:"-"` // answers that did not tell their usage
	Sent       int           `json:"-"` // requests, with the warm-up
	Chunks     int           `json:"-"` // of all streams, with the warm-up
}

// Requests counts what became of the requests.
type Requests struct {
	Sent   int `json:"sent"` // without the warm-up
	OK     int `json:"ok"`
	Failed int `json:"failed"`
	Cut    int `json:"cut"`    // by the end of the run
	Unsent int `json:"unsent"` // planned, but the run ended before there was a place for them; not in Sent
	Warmup int `json:"warmup"` // before them
}

// Tokens counts those of the requests that succeeded.
type Tokens struct {
	Input  int `json:"input"` // as the server reports
	Output int `json:"output"`
}

// Failure is one kind of it.
type Failure struct {
	Kind    string `json:"kind"`
	Count   int    `json:"count"`
	Example string `json:"example"` // the first one's words
}
