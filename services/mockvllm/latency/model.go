package latency

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// Model is how long a server takes. Without a Profile each request has delays of its own; with one it is the step of the
// whole batch that takes its time. The zero value takes none.
type Model struct {
	TTFT    Distribution // from the moment a request runs to its first token
	ITL     Distribution // from one token to the next
	Profile *Profile     // instead of TTFT and ITL
	Scale   float64      // all times are multiplied by it; 0 stands for 1
	Seed    int64
}

// Delays are those of one request, in the order of its tokens.
type Delays struct {
	model  *Model
	source *rand.Rand // nil if nothing varies
}

// Delays returns the delays of the request with this id. The model must stay as it is.
func (m *Model) Delays(id string) Delays {
	d := Delays{model: m}
	if m.Varies() {
		sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, uint64(m.Seed)), id...))
		d.source = rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])))
	}
	return d
}

// Varies tells whether delays follow from the ids of requests.
func (m *Model) Varies() bool { return m.TTFT.varies() || m.ITL.varies() }

// First is the time to the first token.
func (d *Delays) First() time.Duration { return scaled(d.model.TTFT.draw(d.source), d.model.Scale) }

// Next is the time to the token after the last one.
func (d *Delays) Next() time.Duration { return scaled(d.model.ITL.draw(d.source), d.model.Scale) }

// MeanTTFT is the mean time to the first token.
func (m *Model) MeanTTFT() time.Duration { return scaled(m.TTFT.mean, m.Scale) }

// MeanITL is the mean time between tokens.
func (m *Model) MeanITL() time.Duration { return scaled(m.ITL.mean, m.Scale) }

// Zero tells that nothing takes time.
func (m *Model) Zero() bool {
	return m.Profile == nil && m.TTFT == Distribution{} && m.ITL == Distribution{}
}

// Step is how long a step with this batch takes, 0 without a profile.
func (m *Model) Step(b Batch) time.Duration {
	if m.Profile == nil {
		return 0
	}
	return scaled(m.Profile.step(b), m.Scale)
}

func scaled(d time.Duration, by float64) time.Duration {
	if by == 0 || by == 1 {
		return d
	}
	return time.Duration(min(float64(d)*by, float64(longest)))
}
