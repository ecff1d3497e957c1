package latency

import "time"

// Constant is a model with a fixed time to the first token and a fixed time between tokens. The zero value is
// instantaneous.
type Constant struct {
	TTFT time.Duration // from the moment a request runs to its first token
	ITL  time.Duration // from one token to the next
}

// Due returns when token i, counted from 0, of a request that began to run at start is to be delivered.
func (c Constant) Due(start time.Time, i int) time.Time {
	return start.Add(c.TTFT + time.Duration(i)*c.ITL)
}
