package refmodel

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/golden"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// answers reads what the real server answered in a group, by the names of the cases.
func answers(t *testing.T, group string) map[string]golden.Case {
	t.Helper()
	cases, err := golden.Read("../testdata/golden/" + group + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]golden.Case{}
	for _, c := range cases {
		byName[c.Name] = c
	}
	return byName
}

func hash(numbers ...[]float32) string {
	h := sha256.New()
	for _, list := range numbers {
		_ = binary.Write(h, binary.LittleEndian, list)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// TestWeights compares with the hash of the file that the real server loads, and of the table that it computes.
func TestWeights(t *testing.T) {
	m := Of(tokenizer.Tiny())
	var all [][]float32
	all = append(all, m.embedding...)
	for _, l := range m.layers {
		all = append(all, l.query, l.key, l.value, l.out, l.gate, l.up, l.down)
	}
	if got := hash(append(all, m.output)...); got != "708777d788db1b46ac3544201da16b2da244859592ba5e4737fff8b6118873dc" {
		t.Error("the weights are others:", got)
	}
	var table [][]float32
	for i := range m.rotations {
		table = append(table, m.rotations[i][:])
	}
	if got := hash(table...); got != "f90ba3e83117d01e1d427148900416c1ea4b0463a0b10b155528926a9a63f46e" {
		t.Error("the rotations are others:", got)
	}
}

func TestVectors(t *testing.T) {
	m, tok := Of(tokenizer.Tiny()), tokenizer.Tiny()
	f := func(group, name string, prompts ...[]int) {
		t.Helper()
		var answer struct {
			Data []struct{ Embedding, Data []float32 }
		}
		if err := json.Unmarshal([]byte(answers(t, group)[name].Answer.Body), &answer); err != nil {
			t.Fatal(err)
		}
		for i, ids := range prompts {
			if diff := cmp.Diff(append(answer.Data[i].Embedding, answer.Data[i].Data...), Normal(m.Last(ids))); diff != "" {
				t.Error(group, name, i, diff)
			}
		}
	}
	text := func(s string) []int { return tok.Encode(s, true) }
	f("pooling", "embed-ids", []int{300, 301})
	f("pooling", "embed-id-lists", []int{300}, []int{301, 302})
	f("pooling", "embed-list", text("Hello"), text("Good day"))
	f("pooling", "embed-messages", tok.Encode("<|begin|><|user|>\nHello there<|end|>\n", false))
	f("pooling-2", "pooling", text("Hello"))
	f("pooling-2", "embed-special", tok.EncodePlain("Hello"))
	f("pooling-2", "embed-list-empty-string", text("a"), text(""))
}

// states are the last hidden states of all tokens of a prompt.
func states(m *Model, ids []int) (all [][]float32) {
	r := m.Read()
	for _, id := range ids {
		all = append(all, r.Next(id))
	}
	return all
}

// TestHidden compares with hashes of the hidden states in a real server, for prompts of several lengths.
func TestHidden(t *testing.T) {
	m := Of(tokenizer.Tiny())
	f := func(length int, want string) {
		t.Helper()
		ids := make([]int, length)
		for i := range ids {
			ids[i] = i*7%1900 + 20
		}
		if got := hash(states(m, ids)...); got != want {
			t.Errorf("%d tokens: %s", length, got)
		}
	}
	f(32, "7730d232edf80da4f6fd51a893a416e74fdcde4c8185b4cadd4c1b79340dcd00")
	f(33, "7e34dcdb26783efe8b36722a7c615555e9b55d2752670df47ac7847917afc9a9")
	f(300, "b528e155b00a0bfd43de1c1b95602a319210a01b1119e34021ccafb2bfc2a886")
}

func TestCosine(t *testing.T) {
	m, tok := Of(tokenizer.Tiny()), tokenizer.Tiny()
	f := func(group, name, a string, b ...string) {
		t.Helper()
		vector := func(s string) []float32 {
			return Normal(m.Last(tok.Encode(s, true)))
		}
		var answer struct{ Data []struct{ Score float32 } }
		if err := json.Unmarshal([]byte(answers(t, group)[name].Answer.Body), &answer); err != nil {
			t.Fatal(err)
		}
		for i, s := range b {
			if got := Cosine(vector(a), vector(s)); got != answer.Data[i].Score {
				t.Errorf("%s %s: %v, want %v", name, s, got, answer.Data[i].Score)
			}
		}
	}
	f("pooling", "score", "Hello", "Good day", "Hello")
	f("pooling-2", "score-lists", "a", "c")
}

// TestLogProbs holds the recorded probabilities of prompts against the model's, to the last digit.
func TestLogProbs(t *testing.T) {
	m := Of(tokenizer.Tiny())
	type alternative struct {
		LogProb float32
		Rank    int
	}
	f := func(group, name string, ids ...int) {
		t.Helper()
		var answer struct {
			Prompt  []map[int]alternative `json:"prompt_logprobs"`
			Choices []struct {
				Prompt []map[int]alternative `json:"prompt_logprobs"`
			}
		}
		if err := json.Unmarshal([]byte(answers(t, group)[name].Answer.Body), &answer); err != nil {
			t.Fatal(err)
		}
		prompt := answer.Prompt
		if prompt == nil {
			prompt = answer.Choices[0].Prompt
		}
		if len(prompt) != len(ids) {
			t.Fatalf("%s %s has %d tokens", group, name, len(prompt))
		}
		for i, state := range states(m, ids[:len(ids)-1]) {
			probs := LogProbs(m.Logits(state, nil))
			for id, want := range prompt[i+1] {
				rank := 0
				for _, p := range probs {
					if p >= probs[id] {
						rank++
					}
				}
				if got := (alternative{probs[id], rank}); got != want {
					t.Errorf("%s %s, token %d of %d: %v, want %v", group, name, id, i, got, want)
				}
			}
		}
	}
	f("scale-out-3", "generate-prompt-logprobs", 300, 301, 302)
	f("completions-2", "prompt-logprobs-2", tokenizer.Tiny().Encode("Hello there", true)...)
}

// TestScores is generative scoring: a probability among two.
func TestScores(t *testing.T) {
	m := Of(tokenizer.Tiny())
	f := func(name string, prompts ...[]int) {
		t.Helper()
		var answer struct{ Data []struct{ Score float64 } }
		if err := json.Unmarshal([]byte(answers(t, "scoring-2")[name].Answer.Body), &answer); err != nil {
			t.Fatal(err)
		}
		for i, ids := range prompts {
			probs := LogProbs(m.Logits(m.Last(ids), nil))
			a, b := float64(probs[300]), float64(probs[301])
			most := max(a, b)
			if got := math.Exp(a-most) / (math.Exp(a-most) + math.Exp(b-most)); got != answer.Data[i].Score {
				t.Errorf("%s: %v, want %v", name, got, answer.Data[i].Score)
			}
		}
	}
	f("ids", []int{300, 301}, []int{300, 302})
	f("one", append(tokenizer.Tiny().Encode("Is it good?", true), tokenizer.Tiny().EncodePlain("yes")...))
}

// TestGreedy continues a prompt with the likeliest tokens, as the recorded server did.
func TestGreedy(t *testing.T) {
	m, tok := Of(tokenizer.Tiny()), tokenizer.Tiny()
	ids := tok.Encode("<|begin|><|user|>\nHello there<|end|>\n<|assistant|>\n", false)
	var text strings.Builder
	for range 2 {
		logits := m.Logits(m.Last(ids), nil)
		best := 0
		for id, x := range logits {
			if x > logits[best] {
				best = id
			}
		}
		ids = append(ids, best)
		text.WriteString(tok.Text(best))
	}
	if text.String() != "irst 61" { // chat/prompt-logprobs
		t.Errorf("%q", text.String())
	}
}

// TestFMA compares with exact arithmetic, also where rounding twice would go wrong.
func TestFMA(t *testing.T) {
	f := func(a, b, c float32) {
		t.Helper()
		exact := new(big.Float).SetPrec(400).Mul(big.NewFloat(float64(a)), big.NewFloat(float64(b)))
		want, _ := exact.Add(exact.SetPrec(400), big.NewFloat(float64(c))).Float32()
		if got := fma(a, b, c); got != want {
			t.Errorf("%v*%v+%v = %v, want %v", a, b, c, got, want)
		}
	}
	f(1+0x1p-12, 1+0x1p-12, 0)
	f(0x1p-30, 0x1p-30, 1+0x1p-23)
	half := float32(0x1p-24)
	f(half, 1+0x1p-23, 1)
	f(-half, 1+0x1p-23, 1+0x1p-23)
	f(0x1p-12*(1+0x1p-23), 0x1p-12*(1-0x1p-23), 1)
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		f(float32(r.NormFloat64()), float32(r.NormFloat64()), float32(r.NormFloat64()))
	}
}

func BenchmarkLast(b *testing.B) {
	m := Of(tokenizer.Tiny())
	for b.Loop() {
		m.Last([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	}
}

func BenchmarkLogits(b *testing.B) {
	m := Of(tokenizer.Tiny())
	h := m.Last([]int{0})
	for b.Loop() {
		m.Logits(h, nil)
	}
}

// TestLogarithm: of the numbers to 6000 torch has the nearest logarithm, but for these.
func TestLogarithm(t *testing.T) {
	odd := map[int]float32{429: 6.061456680297852, 1218: 7.104965686798096, 1579: 7.364546775817871, 2794: 7.935229778289795,
		2862: 7.95927619934082, 4753: 8.466531753540039, 4935: 8.504108428955078}
	for n := 1; n < 6000; n++ {
		want, off := odd[n]
		if !off {
			want = float32(math.Log(float64(n)))
		}
		if got := log(float32(n)); got != want {
			t.Errorf("log(%d) is %v, want %v", n, got, want)
		}
	}
}
