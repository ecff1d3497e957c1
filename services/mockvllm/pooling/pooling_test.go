package pooling

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/refmodel"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

var head = Head{ID: "1", Created: 7, Model: "tiny"}

// ask sends a body to one of the answers of an embedding model.
func ask(t *testing.T, model, body string, answer func(Model, Head, *schema.Values, *pyjson.Object) (*Answer, *protocol.Error)) (*Answer, *protocol.Error) {
	t.Helper()
	return askOf(t, "embed", model, body, answer)
}

func askOf(t *testing.T, task, model, body string, answer func(Model, Head, *schema.Values, *pyjson.Object) (*Answer, *protocol.Error)) (*Answer, *protocol.Error) {
	t.Helper()
	raw, err := pyjson.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	v, err := schema.Parse(model, raw)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	o, _ := raw.(*pyjson.Object)
	return answer(Model{Task: task, Model: &request.Model{Model: &generation.Model{Tokenizer: tokenizer.Tiny()}, MaxLen: 2048,
		Templates: request.Templates{Default: template.Tiny()}}}, head, v, o)
}

func similarity(a, b string) float32 {
	return refmodel.Cosine(refmodel.Normal(hashed(a)), refmodel.Normal(hashed(b)))
}

func TestNearTexts(t *testing.T) {
	f := func(query, near, far string) {
		t.Helper()
		if n, f := similarity(query, near), similarity(query, far); n <= f+0.1 || n > 1.001 || f < -1 {
			t.Errorf("%q: %v to %q, %v to %q", query, n, near, f, far)
		}
	}
	f("How do I reset my password?", "Reset the password of an account", "The weather in Paris is mild")
	f("The weather in Paris", "the weather of paris in spring", "Error handling of token servers")
	f("connection refused", "The connection was refused by the host", "Recipes for apple pie")
	f("日本語のテキスト", "日本語のテキストです", "한국어 문장")
	if s := similarity("the same", "the same"); math.Abs(float64(s)-1) > 1e-6 {
		t.Errorf("a text is %v like itself", s)
	}
	if s := similarity("", ""); math.Abs(float64(s)-1) > 1e-6 {
		t.Errorf("an empty text is %v like itself", s)
	}
}

func TestShortNumbers(t *testing.T) {
	f := func(x float32, exponent, mantissa int, want uint16) {
		t.Helper()
		if got := narrow(x, exponent, mantissa); got != want {
			t.Errorf("%v with %d and %d bits: %#04x, want %#04x", x, exponent, mantissa, got, want)
		}
	}
	f(1, 5, 10, 0x3c00)
	f(-2, 5, 10, 0xc000)
	f(0.333251953125, 5, 10, 0x3555)
	f(1.0004883, 5, 10, 0x3c00) // half way, to the even one
	f(5.9604645e-08, 5, 10, 0x0001)
	f(6.097555e-05, 5, 10, 0x03ff)
	f(0, 5, 10, 0)
	f(1, 8, 7, 0x3f80)
	f(3.140625, 8, 7, 0x4049)
	f(1, 4, 3, 0x38)
	f(-0.15625, 4, 3, 0xa2)
	f(1, 5, 2, 0x3c)
	f(1.99999, 4, 3, 0x40) // a carry into the exponent
}

func TestEncodings(t *testing.T) {
	plain, _ := ask(t, "EmbeddingRequest", `{"input":["x","Hello"]}`, Model.Embed)
	var got struct {
		ID    string
		Model string
		Data  []struct {
			Index     int
			Object    string
			Embedding []float32
		}
		Usage map[string]any
	}
	if err := json.Unmarshal(plain.JSON, &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != "embd-1" || got.Model != "tiny" || len(got.Data) != 2 || len(got.Data[1].Embedding) != width || got.Data[1].Object != "embedding" {
		t.Errorf("%+v", got)
	}
	want := map[string]any{"prompt_tokens": 6.0, "total_tokens": 6.0, "completion_tokens": 0.0, "prompt_tokens_details": nil, "completion_tokens_details": nil}
	if diff := cmp.Diff(want, got.Usage); diff != "" {
		t.Error(diff)
	}
	bytes, _ := ask(t, "EmbeddingRequest", `{"input":["x","Hello"],"encoding_format":"bytes","endianness":"big"}`, Model.Embed)
	for i, part := range bytes.Parts {
		for j, x := range got.Data[i].Embedding {
			if y := math.Float32frombits(binary.BigEndian.Uint32(part[4*j:])); x != y {
				t.Fatalf("%d, %d: %v as JSON, %v as bytes", i, j, x, y)
			}
		}
	}
	const metadata = `{"id": "embd-1", "created": 7, "model": "tiny", "data": [{"index": 0, "embed_dtype": "float32", "endianness": "big", ` +
		`"start": 0, "end": 256, "shape": [64]}, {"index": 1, "embed_dtype": "float32", "endianness": "big", "start": 256, "end": 512, "shape": [64]}], ` +
		`"usage": {"prompt_tokens": 6, "total_tokens": 6}}`
	if diff := cmp.Diff(metadata, bytes.Metadata); diff != "" {
		t.Error(diff)
	}
	only, _ := ask(t, "EmbeddingRequest", `{"input":"x","encoding_format":"bytes_only","embed_dtype":"fp8_e4m3"}`, Model.Embed)
	if only.Metadata != "" || len(only.Parts) != 1 || len(only.Parts[0]) != width {
		t.Errorf("%+v", only)
	}
	base, _ := ask(t, "EmbeddingRequest", `{"input":"x","encoding_format":"base64","embed_dtype":"float16"}`, Model.Embed)
	if !strings.Contains(string(base.JSON), `"embedding":"`) || len(base.JSON) > 440 {
		t.Errorf("%s", base.JSON)
	}
}

func TestAnswers(t *testing.T) {
	f := func(a *Answer, err *protocol.Error, parts ...string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(a.JSON) {
			t.Fatalf("no JSON: %s", a.JSON)
		}
		for _, part := range parts {
			if !strings.Contains(string(a.JSON), part) {
				t.Errorf("%s lacks %s", a.JSON, part)
			}
		}
	}
	a, err := ask(t, "EmbeddingRequest", `{"messages":[{"role":"user","content":[{"type":"text","text":"Hello there"}]}]}`, Model.Embed)
	f(a, err, `"prompt_tokens":9`)
	a, err = ask(t, "EmbeddingRequest", `{"messages":[[{"role":"user","content":"Hello there"}],[{"role":"user","content":"Hello there"}]]}`, Model.Embed)
	f(a, err, `"prompt_tokens":18`, `"index":1`)
	a, err = ask(t, "EmbeddingRequest", `{"input":[[300],[301,302]]}`, Model.Embed)
	f(a, err, `"prompt_tokens":3`)
	a, err = ask(t, "EmbeddingRequest", `{"input":"Hello","truncate_prompt_tokens":2}`, Model.Embed)
	f(a, err, `"prompt_tokens":2`)
	a, err = ask(t, "PoolingRequest", `{"input":"Hello"}`, Model.Pool)
	f(a, err, `{"id":"pooling-1","object":"list","created":7,"model":"tiny","data":[{"index":0,"object":"pooling","data":[`)
	a, err = ask(t, "ScoreRequest", `{"text_1":"Hello","text_2":["Good day","Hello"]}`, Model.Score)
	f(a, err, `{"id":"score-1","object":"list"`, `{"index":0,"object":"score","score":0.`, `"prompt_tokens":11`)
	a, err = ask(t, "ScoreRequest", `{"queries":["a","b"],"items":["c","d"]}`, Model.Score)
	f(a, err, `"prompt_tokens":8`)
	a, err = ask(t, "RerankRequest", `{"query":"Hello","documents":["Good day","Hello"],"top_n":1}`, Model.Rerank)
	f(a, err, `{"id":"score-1","model":"tiny","usage":{"prompt_tokens":11,"total_tokens":11},"results":[{"index":1,"document":{"text":"Hello","multi_modal":null}`)
	a, err = ask(t, "CohereEmbedRequest", `{"texts":["Hello","Good day"],"embedding_types":["ubinary","binary"]}`, Model.EmbedCohere)
	f(a, err, `{"id":"embd-1","embeddings":{"binary":[[`, `"ubinary":[[`, `"texts":["Hello","Good day"],"meta":{"api_version":{"version":"2"},`+
		`"billed_units":{"input_tokens":7,"image_tokens":0}},"response_type":"embeddings_by_type"}`)
	a, err = ask(t, "CohereEmbedRequest", `{"inputs":[{"content":[{"type":"text","text":"Hello"}]}]}`, Model.EmbedCohere)
	f(a, err, `"embeddings":{"float":[[`, `"input_tokens":8`)
	a, err = askOf(t, "classify", "ClassificationRequest", `{"input":["Hello","Good day"]}`, Model.Classify)
	f(a, err, `{"id":"classify-1","object":"list"`, `"label":"LABEL_`, `"num_classes":2}`, `"prompt_tokens":7`)
	a, err = askOf(t, "classify", "PoolingRequest", `{"input":"Hello","use_activation":false}`, Model.Pool)
	f(a, err, `"object":"pooling"`)
}

// The messages are those of vLLM 0.32.
func TestRefusals(t *testing.T) {
	f := func(model, body string, answer func(Model, Head, *schema.Values, *pyjson.Object) (*Answer, *protocol.Error), want string) {
		t.Helper()
		if _, err := ask(t, model, body, answer); err == nil || err.Message != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	embed := func(body, want string) { t.Helper(); f("EmbeddingRequest", body, Model.Embed, want) }
	embed(`{"input":"x","dimensions":8}`, "Model 'tiny' does not support Matryoshka embeddings; dimensions must be unset (received dimensions=8).")
	embed(`{"input":"\ud800"}`, "TextEncodeInput must be Union[TextInputSequence, Tuple[InputSequence, InputSequence]]")
	embed(`{"input":[]}`, "You must pass at least one prompt")
	embed(`{"input":[],"dimensions":8}`, "You must pass at least one prompt")
	embed(`{"input":[[]]}`, "The decoder prompt cannot be empty")
	embed(`{"input":[99999]}`, "Token id 99999 is out of vocabulary")
	embed(`{"input":[-1]}`, "Token id -1 is out of vocabulary")
	embed(`{"input":"Hello","truncate_prompt_tokens":0}`, "The decoder prompt cannot be empty")
	embed(`{"input":"Hello","truncate_prompt_tokens":5000}`,
		"truncate_prompt_tokens value is greater than max_model_len. Please request a smaller truncation size.")
	embed(`{"messages":[]}`, "Cannot apply chat template to an empty conversation. Provide at least one message.")
	embed(`{"messages":[{"role":"user","content":"Hello"}],"chat_template":"x"}`,
		"Chat template is passed with request, but --trust-request-chat-template is not set. Refused request with untrusted chat template.")
	embed(`{"input":"`+strings.Repeat("a b ", 3000)+`"}`, "This model's maximum context length is 2048 tokens. However, your prompt contains at "+
		"least 2049 input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. "+
		"(parameter=input_tokens, value=2049)")
	embed(`{"input":"`+strings.Repeat("x", 72040)+`"}`, "This model's maximum context length is 2048 tokens. However, your prompt contains "+
		"72040 characters (more than 26624 characters, which is the upper bound for 2048 input tokens). Please reduce the length of the input "+
		"prompt. (parameter=input_text, value=72040)")
	pool := func(body, want string) { t.Helper(); f("PoolingRequest", body, Model.Pool, want) }
	pool(`{"input":"x","task":"token_embed"}`, "Try switching the model's pooling_task via --pooler-config.task token_embed. (parameter=task)")
	pool(`{"input":"x","task":"classify"}`, "Unsupported task: 'classify' Supported tasks: ['embed', 'token_embed'] (parameter=task)")
	pool(`{"input":"x","dimensions":3}`, "dimensions is currently not supported (parameter=dimensions)")
	score := func(body, want string) { t.Helper(); f("ScoreRequest", body, Model.Score, want) }
	score(`{"text_1":["a","b"],"text_2":["c","d","e"]}`, "Input lengths must be either 1:1, 1:N or N:N")
	score(`{"text_1":["a","b"],"text_2":"c"}`, "Input lengths must be either 1:1, 1:N or N:N")
	score(`{"text_1":[],"text_2":"c"}`, "At least one text element must be given")
	score(`{"text_1":"a","text_2":[]}`, "At least one text_pair element must be given")
	score(`{"text_1":"a","text_2":"b","max_tokens_per_doc":-1}`, "max_tokens_per_doc must be a non-negative integer")
	score(`{"text_1":{"content":[{"type":"text","text":"a"}]},"text_2":"b"}`, "MultiModalParam is not supported for LlamaForCausalLM")
	f("CohereEmbedRequest", `{"texts":["x"],"input_type":"search_query"}`, Model.EmbedCohere,
		"Unsupported input_type 'search_query'. This model does not define any input_type task instructions.")
}
