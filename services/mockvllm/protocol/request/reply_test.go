package request

import (
	"strconv"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

const saidOnce = `<tool_call>{"name": "ping", "arguments": {}}</tool_call>`

// TestAtLeastIsEnoughAndNoMore, at the length of the longest models too: what is said needs its last piece.
func TestAtLeastIsEnoughAndNoMore(t *testing.T) {
	tok := tokenizer.Tiny()
	for _, tokens := range []int{0, 1, 100, 131072} {
		pieces := 0
		once := func(structured.Source) string { pieces++; return saidOnce }
		text := atLeast(tokens, once, tok)(structured.Source{})
		n, before := len(tok.EncodePlain(text)), 0
		if len(text) > 0 {
			before = len(tok.EncodePlain(text[:len(text)-len(saidOnce)]))
		}
		if n < tokens || before >= max(tokens, 1) || len(text) != pieces*len(saidOnce) {
			t.Errorf("%d tokens asked for, %d said in %d pieces, %d without the last", tokens, n, pieces, before)
		}
	}
}

// BenchmarkAtLeast: the time for a token does not follow from how many there are.
func BenchmarkAtLeast(b *testing.B) {
	tok := tokenizer.Tiny()
	once := func(structured.Source) string { return saidOnce }
	for _, tokens := range []int{1024, 131072} {
		b.Run(strconv.Itoa(tokens), func(b *testing.B) {
			for b.Loop() {
				atLeast(tokens, once, tok)(structured.Source{})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(tokens), "ns/token")
		})
	}
}
