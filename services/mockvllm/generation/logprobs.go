package generation

import (
	"math"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/internal/splitmix"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
)

// Position tells how likely the token at one place was, and others with it: the token itself first, then the likeliest ones
// in order, as in vLLM's answers. No two entries have the same token.
type Position []Likelihood

// Likelihood is how likely one token was.
type Likelihood struct {
	Token   int
	Text    string // behind the tokens before it
	Logprob float64
	Rank    int // 1 is the likeliest
}

// odds are the likelihoods of all tokens at all places.
type odds interface {
	// at gives them at a place, where token is said.
	at(place, token int) distribution
}

// distribution is how likely each token is at one place.
type distribution interface {
	rankOf(id int) int
	logprob(id int) float64
	token(rank int) int
}

// position tells about the token that is said, with as many others as params ask for. size is that of the vocabulary.
func position(d distribution, token, size int, p *sampling.Params) Position {
	switch {
	case p.LogprobTokens != nil:
		return these(d, token, p.LogprobTokens)
	case p.Logprobs != nil:
		return top(d, token, size, *p.Logprobs)
	}
	return top(d, token, size, 0)
}

// top tells about token and the first n by rank; -1 is the vocabulary.
func top(d distribution, token, size int, n int64) Position {
	if n < 0 || n > int64(size) {
		n = int64(size)
	}
	all := make(Position, 1, n+1)
	all[0] = Likelihood{Token: token, Logprob: d.logprob(token), Rank: d.rankOf(token)}
	for rank := 1; rank <= int(n); rank++ {
		if id := d.token(rank); id != token {
			all = append(all, Likelihood{Token: id, Logprob: d.logprob(id), Rank: rank})
		}
	}
	return all
}

// these tells about token and the ones asked for.
func these(d distribution, token int, asked []int64) Position {
	all := make(Position, 0, len(asked)+1)
	seen := map[int]bool{}
	for _, id := range append([]int64{int64(token)}, asked...) {
		if !seen[int(id)] {
			seen[int(id)] = true
			all = append(all, Likelihood{Token: int(id), Logprob: d.logprob(int(id)), Rank: d.rankOf(int(id))})
		}
	}
	return all
}

// PromptLogprobs tells how likely the tokens of a prompt were, each with n others, and nothing about the first.
func (m *Model) PromptLogprobs(prompt *Prompt, n int64) []Position {
	size := m.Tokenizer.Size()
	var o odds = chance{seed: m.Seed, size: size}
	if ref := m.Reference(len(prompt.Tokens)); ref != nil {
		o = &reading{model: ref, token: func(i int) int { return prompt.Tokens[i] }}
	}
	all := make([]Position, len(prompt.Tokens))
	for i := 1; i < len(prompt.Tokens); i++ {
		all[i] = top(o.at(i, prompt.Tokens[i]), prompt.Tokens[i], size, n)
		m.decode(all[i], prompt.Tokens[max(1, i-utf8.UTFMax):i])
	}
	return all
}

// chance are odds where at each place the tokens have an order that is drawn at random. Two percent are shared by all alike, and of
// the rest the one of rank r has (1-q)·q^(r-1), so that all of them add up to one.
type chance struct {
	seed   uint64
	size   int // of the vocabulary
	greedy bool
}

// shuffle is the order of all tokens at one place. Rank r is the token (start + r·step) mod size, but for the token
// that was drawn, which changes places with the one that had its rank.
type shuffle struct {
	size, start, step int
	drawn, rank       int
	q                 float64
}

func (o chance) at(place, token int) distribution {
	h := splitmix.Mix(o.seed + uint64(place)*golden)
	d := shuffle{size: o.size, start: int(h % uint64(o.size)), step: int(h>>20%uint64(o.size)) | 1, drawn: token, rank: 1, // below size
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

func (d shuffle) logprob(id int) float64 {
	const alike = 0.02
	share := alike/float64(d.size) + (1-alike)*(1-d.q)*math.Pow(d.q, float64(d.rankOf(id)-1))
	return float64(float32(math.Log(share))) // vLLM's are 32 bits wide
}

func (d shuffle) place(rank int) int { return (d.start + rank%d.size*d.step) % d.size }

// token is the one of a rank.
func (d shuffle) token(rank int) int {
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
func (d shuffle) rankOf(id int) int {
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
