package refmodel

import (
	"math"
	"slices"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

const (
	width   = 64
	inner   = 128
	head    = 32
	layers  = 2
	epsilon = 1e-5
)

// Model is the reference model. It does not change, so any number of goroutines may use it.
type Model struct {
	embedding [][]float32
	layers    [layers]layer
	output    []float32 // a row for each token
	rotations []rotation
}

type layer struct {
	query, key, value, out []float32
	gate, up, down         []float32
}

// Of gives the reference model where t is its tokenizer, and nil where it is not.
func Of(t *tokenizer.Tokenizer) *Model {
	tiny := tokenizer.Tiny()
	if t.Size() != tiny.Size() {
		return nil
	}
	for id := range t.Size() {
		if t.Spelling(id) != tiny.Spelling(id) {
			return nil
		}
	}
	return reference()
}

var reference = sync.OnceValue(func() *Model {
	t, r := tokenizer.Tiny(), newNumbers()
	m := &Model{rotations: rotations()}
	m.embedding = rows(r.matrix(t.Size(), width, 1))
	for _, row := range m.embedding {
		row[0] = 8
	}
	for i := range m.layers {
		m.layers[i] = r.layer()
	}
	m.output = r.matrix(t.Size(), width, 0.3)
	for id := range t.Size() {
		m.output[id*width] = bias(t, id)
	}
	return m
})

func rows(matrix []float32) [][]float32 {
	var all [][]float32
	for at := 0; at < len(matrix); at += width {
		all = append(all, matrix[at:at+width])
	}
	return all
}

// Reading is a prompt as far as the model has read it.
type Reading struct {
	model *Model
	read  int // tokens
	seen  [layers]memory
}

// memory is what a layer keeps of the tokens so far, by heads.
type memory struct{ keys, values [width / head][][]float32 }

// Read begins to read a prompt.
func (m *Model) Read() *Reading { return &Reading{model: m} }

// Next reads one more token, of no more than Context, and gives its last hidden state.
func (r *Reading) Next(id int) []float32 {
	state, turn := r.model.embedding[id], &r.model.rotations[r.read]
	r.read++
	for i := range r.model.layers {
		state = r.model.layers[i].pass(state, turn, &r.seen[i])
	}
	return normalize(state)
}

// Last gives the last hidden state of a whole prompt, which has from one to Context tokens.
func (m *Model) Last(ids []int) (state []float32) {
	r := m.Read()
	for _, id := range ids {
		state = r.Next(id)
	}
	return state
}

// Never is the logit of what cannot come.
var Never = float32(math.Inf(-1))

// Logits scores all tokens as the next one after a hidden state or, unless ids is nil, these alone.
func (m *Model) Logits(hidden []float32, ids []int) []float32 {
	if ids == nil {
		return apply(m.output, hidden)
	}
	logits := slices.Repeat([]float32{Never}, len(m.embedding))
	for _, id := range ids {
		logits[id] = apply(m.output[id*width:(id+1)*width], hidden)[0]
	}
	return logits
}

// pass adds to the state of a token what the layer does.
func (l *layer) pass(state []float32, turn *rotation, seen *memory) []float32 {
	h := normalize(state)
	query, key, value := apply(l.query, h), apply(l.key, h), apply(l.value, h)
	turn.rotate(query)
	turn.rotate(key)
	attended := make([]float32, width)
	for n := range seen.keys {
		from, to := n*head, (n+1)*head
		seen.keys[n], seen.values[n] = append(seen.keys[n], key[from:to]), append(seen.values[n], value[from:to])
		attend(attended[from:to], query[from:to], seen.keys[n], seen.values[n])
	}
	state = add(apply(l.out, attended), state)
	return add(apply(l.down, l.activate(normalize(state))), state)
}

func (l *layer) activate(h []float32) []float32 {
	gate, up := apply(l.gate, h), apply(l.up, h)
	for i, x := range gate {
		gate[i] = x / (1 + exp(-x)) * up[i]
	}
	return gate
}

// normalize divides by the root of the mean square. The model's own factors are all 1.
func normalize(v []float32) []float32 {
	factor := 1 / sqrt(dot(v, v)/width+epsilon)
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = x * factor
	}
	return out
}
