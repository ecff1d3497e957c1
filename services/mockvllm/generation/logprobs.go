package generation

import (
	"math"

	"github.com/fluidmcp/fluidmcp/internal/splitmix"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
)

// Position tells how likely the token at one place was, and others with it: the token itself first, then the likeliest ones
// in order, as in vLLM's answers. No two entries have the same token.
type Position []Likelihood

// Likelihood is how likely one token was.
type Likelihood struct {
	Token   int
	Logprob float64
	Rank    int // 1 is the likeliest
}

// odds are the likelihoods of all tokens at all places: at each place the tokens have an order, drawn at random. Two percent are
// shared by all alike, and of the rest the one of rank r has (1-q)·q^(r-1), so that all of them add up to one.
type odds struct {
	seed   uint64
	size   int // of the vocabulary
	greedy bool
}

// position tells about the token at a place of an answer.
func (a *Answer) position(place, token int) Position {
	return odds{seed: a.Seed, size: a.size, greedy: a.params.Greedy()}.position(place, token, a.params)
}

// position tells about the token at a place, with as many others as params ask for.
func (o odds) position(place, token int, p *sampling.Params) Position {
	if p.LogprobTokens != nil {
		return o.these(place, token, p.LogprobTokens)
	}
	n := int64(0)
	if p.Logprobs != nil {
		n = *p.Logprobs
	}
	return o.likeliest(place, token, o.count(n))
}

// count is the number that a client asked for; -1 is the vocabulary.
func (o odds) count(n int64) int {
	if n < 0 {
		return o.size
	}
	return int(min(n, int64(o.size)))
}

// likeliest tells about token and the first n by rank.
func (o odds) likeliest(place, token, n int) Position {
	d := o.at(place, token)
	all := make(Position, 1, n+1)
	all[0] = Likelihood{token, d.logprob(d.rank), d.rank}
	for r := 1; r <= n; r++ {
		if r != d.rank {
			all = append(all, Likelihood{d.token(r), d.logprob(r), r})
		}
	}
	return all
}

// these tells about token and the ones asked for.
func (o odds) these(place, token int, asked []int64) Position {
	d := o.at(place, token)
	all := make(Position, 1, len(asked)+1)
	all[0] = Likelihood{token, d.logprob(d.rank), d.rank}
	seen := map[int]bool{token: true}
	for _, id := range asked {
		if !seen[int(id)] {
			seen[int(id)] = true
			r := d.rankOf(int(id))
			all = append(all, Likelihood{int(id), d.logprob(r), r})
		}
	}
	return all
}

// distribution is the order of all tokens at one place. Rank r is the token (start + r·step) mod size, but for the token
// that was drawn, which changes places with the one that had its rank.
type distribution struct {
	size, start, step int
	drawn, rank       int
	q                 float64
}

func (o odds) at(place, token int) distribution {
	h := splitmix.Mix(o.seed + uint64(place)*golden)
	d := distribution{size: o.size, start: int(h % uint64(o.size)), step: int(h>>20%uint64(o.size)) | 1, drawn: token, rank: 1, // below size
		q: 0.3 + 0.5*unit(h>>8)}
	for gcd(d.step, d.size) != 1 {
		d.step += 2
	}
	if !o.greedy {
		d.rank = min(1+int(math.Log(1-unit(splitmix.Mix(h)))/math.Log(d.q)), o.size)
	}
	return d
}

// unit makes a number in [0, 1) of the low 32 bits.
func unit(x uint64) float64 { return float64(x&math.MaxUint32) / (1 << 32) }

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (d distribution) logprob(rank int) float64 {
	const alike = 0.02
	share := alike/float64(d.size) + (1-alike)*(1-d.q)*math.Pow(d.q, float64(rank-1))
	return float64(float32(math.Log(share))) // vLLM's are 32 bits wide
}

func (d distribution) place(rank int) int { return (d.start + rank%d.size*d.step) % d.size }

// token is the one of a rank.
func (d distribution) token(rank int) int {
	id := d.place(rank)
	switch {
	case rank == d.rank:
		return d.drawn
	case id == d.drawn:
		return d.place(d.rank)
	}
	return id
}

// rankOf is the rank of a token, by the inverse of step.
func (d distribution) rankOf(id int) int {
	switch id {
	case d.drawn:
		return d.rank
	case d.place(d.rank):
		id = d.drawn
	}
	rank := (id - d.start%d.size + d.size) % d.size * inverse(d.step%d.size, d.size) % d.size
	if rank == 0 {
		return d.size
	}
	return rank
}

// inverse of a modulo n, which have no common divisor.
func inverse(a, n int) int {
	t, r, newT, newR := 0, n, 1, a
	for newR != 0 {
		q := r / newR
		t, newT = newT, t-q*newT
		r, newR = newR, r-q*newR
	}
	return (t%n + n) % n
}

// prompt tells about the tokens of a prompt, nothing about the first.
func (o odds) prompt(tokens []int, n int64) []Position {
	all := make([]Position, len(tokens))
	for i := 1; i < len(tokens); i++ {
		all[i] = o.likeliest(i, tokens[i], o.count(n))
	}
	return all
}
