package pooling

import (
	"fmt"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/refmodel"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Answer is a body of JSON, or of bytes with what they are told in a header.
type Answer struct {
	JSON     []byte
	Parts    [][]byte // bytes, one part for each text
	Metadata string   // header that describes the parts; "" sends none
	Prompts  [][]int  // tokens of the texts that are read for it
}

// Embed answers /v1/embeddings.
func (m Model) Embed(h Head, v *schema.Values, _ *pyjson.Object) (*Answer, *protocol.Error) {
	prompts, err := m.prompts(v)
	if err != nil {
		return nil, err
	}
	if n, given := v.Int("dimensions"); given { // vLLM looks at them when the prompts are tokens
		return nil, badRequest("Model '%s' does not support Matryoshka embeddings; dimensions must be unset (received dimensions=%d).", h.Model, n)
	}
	return m.vectors(h, v, prompts, names{"embd-", "embedding", "embedding"}), nil
}

// Pool answers /pooling.
func (m Model) Pool(h Head, v *schema.Values, _ *pyjson.Object) (*Answer, *protocol.Error) {
	task, given := v.Str("task")
	if v.Model() == "IOProcessorRequest" || task == "plugin" {
		return nil, badParameter("task", "No IOProcessor plugin installed. Please refer to the documentation and to the "+
			"'prithvi_geospatial_mae_io_processor' offline inference example for more details.")
	}
	if given && task != m.Task {
		if task == "token_"+m.Task {
			return nil, badParameter("task", "Try switching the model's pooling_task via --pooler-config.task "+task+".")
		}
		return nil, badParameter("task", fmt.Sprintf("Unsupported task: '%s' Supported tasks: ['%s', 'token_%[2]s']", task, m.Task))
	}
	if _, given := v.Int("dimensions"); given {
		return nil, badParameter("dimensions", "dimensions is currently not supported")
	}
	prompts, err := m.prompts(v)
	if err != nil {
		return nil, err
	}
	return m.vectors(h, v, prompts, names{"pooling-", "pooling", "data"}), nil
}

// names are the words of one of the interfaces.
type names struct{ prefix, object, field string }

func (m Model) vectors(h Head, v *schema.Values, prompts []prompt, n names) *Answer {
	active := v.Get("use_activation") != false
	var all [][]float32
	for _, p := range prompts {
		switch {
		case m.Task == "classify":
			all = append(all, classes(p.text, active))
		case active:
			all = append(all, refmodel.Normal(m.vector(p)))
		default:
			all = append(all, m.vector(p))
		}
	}
	f := formatOf(v)
	if f.encoding == "bytes" || f.encoding == "bytes_only" {
		return f.parts(h, all, prompts, n)
	}
	b := envelope(h, n.prefix)
	for i, vec := range all {
		b = fmt.Appendf(b, `%s{"index":%d,"object":"%s","%s":`, comma(i), i, n.object, n.field)
		b = append(f.append(b, vec), '}')
	}
	return &Answer{JSON: appendUsage(append(b, ']'), tokens(prompts)), Prompts: read(prompts)}
}

func formatOf(v *schema.Values) format {
	var f format
	f.encoding, _ = v.Str("encoding_format")
	f.dtype, _ = v.Str("embed_dtype")
	endianness, _ := v.Str("endianness")
	f.big = endianness == "big"
	return f
}

// parts sends bytes, one vector after the other.
func (f format) parts(h Head, all [][]float32, prompts []prompt, n names) *Answer {
	a := &Answer{Prompts: read(prompts)}
	var items []any
	at := 0
	for i, vec := range all {
		part := f.bytes(vec)
		a.Parts = append(a.Parts, part)
		endianness := "native"
		if f.big {
			endianness = "big"
		}
		items = append(items, pyjson.ObjectOf("index", i, "embed_dtype", f.dtype, "endianness", endianness, "start", at, "end", at+len(part),
			"shape", []any{len(vec)}))
		at += len(part)
	}
	if f.encoding == "bytes" {
		total := tokens(prompts)
		a.Metadata = pyjson.Dumps(pyjson.ObjectOf("id", n.prefix+h.ID, "created", h.Created, "model", h.Model, "data", items,
			"usage", pyjson.ObjectOf("prompt_tokens", total, "total_tokens", total)))
	}
	return a
}

// envelope opens a list that is an answer.
func envelope(h Head, prefix string) []byte {
	b := pyjson.AppendString([]byte(`{"id":`), prefix+h.ID)
	b = fmt.Appendf(b, `,"object":"list","created":%d,"model":`, h.Created)
	return append(pyjson.AppendString(b, h.Model), `,"data":[`...)
}

func appendUsage(b []byte, n int) []byte {
	return fmt.Appendf(b, `,"usage":{"prompt_tokens":%d,"total_tokens":%[1]d,"completion_tokens":0,"prompt_tokens_details":null,"completion_tokens_details":null}}`, n)
}

func tokens(prompts []prompt) int {
	sum := 0
	for _, p := range prompts {
		sum += len(p.tokens)
	}
	return sum
}

// read is the tokens of the prompts of an answer.
func read(prompts []prompt) [][]int {
	all := make([][]int, len(prompts))
	for i, p := range prompts {
		all[i] = p.tokens
	}
	return all
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}
