package prompt

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Options are what all bodies share.
type Options struct {
	Chat   bool // messages instead of a prompt
	Stream bool
	Input  Length // of synthetic prompts, in tokens
	Output Length // of answers, in tokens; 0 leaves it to the model
	Seed   uint64
}

// Source writes bodies. It is safe for concurrent use: a body depends on its number alone.
type Source struct {
	opts  Options
	lines []map[string]json.RawMessage // of a file; none for synthetic prompts
}

// Synthetic makes prompts of random words.
func Synthetic(opts Options) *Source { return &Source{opts: opts} }

// Body is the body of request number i to a model, counted from 0.
func (s *Source) Body(model string, i int) ([]byte, error) {
	rng := rand.New(rand.NewPCG(s.opts.Seed, uint64(i)+2)) // 1 is the stream of the arrivals
	body := map[string]any{}
	if s.lines != nil {
		for name, value := range s.lines[i%len(s.lines)] {
			body[name] = value
		}
	} else {
		s.ask(body, words(rng, s.opts.Input.pick(rng)))
	}
	body["model"], body["stream"] = model, s.opts.Stream
	delete(body, "stream_options")
	if s.opts.Stream {
		body["stream_options"] = map[string]bool{"include_usage": true}
	}
	if n := s.opts.Output.pick(rng); n > 0 {
		delete(body, "max_completion_tokens")
		// vLLM's ignore_eos and min_tokens keep the model from ending before the length asked for.
		body["max_tokens"], body["min_tokens"], body["ignore_eos"] = n, n, true
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode request %d: %w", i, err)
	}
	return b, nil
}

func (s *Source) ask(body map[string]any, text string) {
	if s.opts.Chat {
		body["messages"] = []map[string]string{{"role": "user", "content": text}}
	} else {
		body["prompt"] = text
	}
}

// common are words that tokenizers of all current models take as one token each, together with the space before them.
var common = strings.Fields(`about after again air all also and any are ask away back bad bank base bed best big bird black blue
	board boat body book both box boy bring build busy buy call came can car care case cat cause city class clean clear close cold
	color come cook cool corn cost could cover cross cry cut dark data day deal deep did dog done door down draw dream drive
	drop dry each early earth east easy eat edge end enjoy even ever every eye face fact fair fall far farm fast feel few field
	fill film final find fine fire first fish five fly food foot force form found four free fresh front full game gave girl
	give glass goal gold good great green group grow hair half hand happy hard have head hear heart heat heavy help here high
	hill hold home hope horse hot hour house how human idea inch into iron job join jump just keep key kind king knew know lake
	land large last late law lead learn left less let life light like line list live long look lost lot love low made main make
	many map mark may mean meet men might mile milk mind miss money month moon more most move much music must name near need
	never new news next night nine north note now old once one only open order other our out over own page paint paper park part
	party pass past path pay piece place plain plan plane plant play point poor power press price pull push put queen quick
	quiet race rain ran rather reach read ready real red rest rich ride right river road rock room round rule run safe said same
	sat save saw say sea seat seem seen self sell send sent serve set seven shall shape share she ship shop short show side
	sign since sing sit six size skin sky sleep slow small snow some song soon sort sound south space speak speed spend spot
	stand star start stay step still stone stop store story study such sun sure table take talk tall team tell ten test than
	that them then there these thing think third this those three time told took top total touch town trade train tree true try
	turn two type under unit until upon use very view visit voice wait walk wall want war warm wash watch water wave way wear
	week well went were west what wheel when where which while white who whole why wide wild will wind wish with wood word work
	world would write year yes yet you young your`)

// words is a text of n of them. Texts of different requests begin differently, so that no prefix cache helps; those of another run
// with the same seed are the same.
func words(rng *rand.Rand, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(common[rng.IntN(len(common))])
	}
	return b.String()
}
