package refmodel

import "github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"

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

// New makes the model. It is for the tokenizer of the tiny model: which tokens it avoids follows from how they are spelled.
func New(t *tokenizer.Tokenizer) *Model {
	r := newNumbers()
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
}

func rows(matrix []float32) [][]float32 {
	var all [][]float32
	for at := 0; at < len(matrix); at += width {
		all = append(all, matrix[at:at+width])
	}
	return all
}

// Hidden gives the last hidden state of each token of a prompt.
func (m *Model) Hidden(ids []int) [][]float32 {
	states := make([][]float32, len(ids)) // of the residual stream
	for i, id := range ids {
		states[i] = m.embedding[id]
	}
	for i := range m.layers {
		m.layers[i].pass(states, m.rotations)
	}
	for i, s := range states {
		states[i] = normalize(s)
	}
	return states
}

// Logits scores all tokens as the next one after a hidden state.
func (m *Model) Logits(hidden []float32) []float32 { return apply(m.output, hidden) }

// pass adds to the states what the layer does.
func (l *layer) pass(states [][]float32, rotations []rotation) {
	var keys, values [width / head][][]float32
	for i, state := range states {
		h := normalize(state)
		query, key, value := apply(l.query, h), apply(l.key, h), apply(l.value, h)
		rotations[i].rotate(query)
		rotations[i].rotate(key)
		seen := make([]float32, width)
		for n := range keys {
			from, to := n*head, (n+1)*head
			keys[n], values[n] = append(keys[n], key[from:to]), append(values[n], value[from:to])
			attend(seen[from:to], query[from:to], keys[n], values[n])
		}
		state = add(apply(l.out, seen), state)
		states[i] = add(apply(l.down, l.activate(normalize(state))), state)
	}
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
