package protocol

import "time"

// Timing is what --enable-per-request-metrics tells about one answer.
type Timing struct {
	Queue, FirstToken, Generation time.Duration
	Tokens                        int
	Unknown                       bool // nobody took the time: all is null
}

// Append writes the object; final leaves out what is null, as a stream's last chunk does.
func (t *Timing) Append(b []byte, final bool) []byte {
	if t == nil {
		return append(b, "null"...)
	}
	if t.Unknown {
		if final {
			return append(b, "{}"...)
		}
		return append(b, `{"time_to_first_token_ms":null,"generation_time_ms":null,"queue_time_ms":null,"mean_itl_ms":null,"tokens_per_second":null,`+
			`"speculative_decoding":null}`...)
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b = AppendFloat(append(b, `{"time_to_first_token_ms":`...), ms(t.FirstToken))
	b = AppendFloat(append(b, `,"generation_time_ms":`...), ms(t.Generation))
	b = AppendFloat(append(b, `,"queue_time_ms":`...), ms(t.Queue))
	if t.Tokens > 1 {
		b = AppendFloat(append(b, `,"mean_itl_ms":`...), ms(t.Generation)/float64(t.Tokens-1))
	} else if !final {
		b = append(b, `,"mean_itl_ms":null`...)
	}
	if seconds := (t.FirstToken + t.Generation).Seconds(); seconds > 0 {
		b = AppendFloat(append(b, `,"tokens_per_second":`...), float64(t.Tokens)/seconds)
	} else if !final {
		b = append(b, `,"tokens_per_second":null`...)
	}
	if !final {
		b = append(b, `,"speculative_decoding":null`...)
	}
	return append(b, '}')
}
