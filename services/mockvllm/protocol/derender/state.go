package derender

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// window turns tokens into text as vLLM's detokenize_incrementally does: it keeps the spellings of the tokens whose text may
// still change.
type window struct {
	tok          *tokenizer.Tokenizer
	hide         bool // special tokens have no text
	tokens       []string
	prefix, read int
	settled      bool // a token was added: without further bytes there is no more to tell
}

// lookBack is how many tokens of a prompt a window begins with, and two more should some be special.
const lookBack = 5

// newWindow begins behind a prompt.
func newWindow(tok *tokenizer.Tokenizer, prompt []int64, hide bool) window {
	w := window{tok: tok, hide: hide, tokens: []string{}}
	for _, id := range prompt[max(0, len(prompt)-lookBack-2):] {
		w.tokens = append(w.tokens, w.spell(id)...)
	}
	w.read = len(w.tokens)
	w.prefix = max(0, w.read-lookBack)
	return w
}

func (w *window) spell(id int64) []string {
	switch n := int(id); {
	case id < 0 || id > int64(w.tok.MaxID()):
		return []string{""}
	case w.hide && w.tok.IsSpecial(n):
		return nil
	default:
		return []string{w.tok.Spelling(n)}
	}
}

// add takes tokens and returns what they add to the text.
func (w *window) add(ids []int64) string {
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(w.one(id))
	}
	return b.String()
}

// one counts as Python does, where what a client carried makes no sense: an offset below 0 counts from the end.
func (w *window) one(id int64) string {
	spelled := w.spell(id)
	first := min(w.prefix, w.read, len(w.tokens))
	begin := first
	if first < 0 {
		begin = max(0, len(w.tokens)+first)
	}
	w.tokens = append(w.tokens, spelled...)
	open := w.tokens[begin:]
	text := ""
	if nothing := len(spelled) == 0 || spelled[0] == ""; !(nothing && w.settled) && !w.endsBroken(open, w.prefix-first) {
		text = w.advance(open, w.prefix-first, w.read-first)
	}
	w.settled = true
	from := w.prefix
	if from < 0 {
		from = max(0, len(w.tokens)+from)
	}
	w.tokens = w.tokens[min(from, len(w.tokens)):]
	w.read -= w.prefix
	w.prefix = 0
	return text
}

// endsBroken tells whether the text of tokens ends in the middle of a character, by its last bytes alone.
func (w *window) endsBroken(tokens []string, from int) bool {
	var tail []byte
	for i := len(tokens) - 1; i >= from && len(tail) < utf8.UTFMax; i-- {
		bytes := []byte(tokens[i])
		if id, known := w.tok.ID(tokens[i]); known {
			bytes = w.tok.Bytes(id)
		}
		tail = append(bytes, tail...)
	}
	r, _ := utf8.DecodeLastRune(tail)
	return r == utf8.RuneError && len(tail) > 0
}

// advance returns the text that is whole now: that of the tokens from prefix on, without that of those before read.
func (w *window) advance(tokens []string, prefix, read int) (text string) {
	before, after := w.text(tokens, prefix, read), w.text(tokens, prefix, len(tokens))
	if n := utf8.RuneCountInString(before); utf8.RuneCountInString(after) > n && !strings.HasSuffix(after, "\ufffd") {
		for range n {
			_, size := utf8.DecodeRuneInString(after)
			after = after[size:]
		}
		text = after
		w.prefix, w.read = w.read, len(w.tokens)
	}
	return text
}

// text is that of the tokens from one to another, within those that there are.
func (w *window) text(tokens []string, from, to int) string {
	to = min(to, len(tokens))
	from = min(from, to)
	var b strings.Builder
	var ids []int
	flush := func() {
		b.WriteString(w.tok.Decode(ids, false))
		ids = ids[:0]
	}
	for _, spelling := range tokens[from:to] {
		if id, known := w.tok.ID(spelling); known {
			ids = append(ids, id)
			continue
		}
		flush()
		b.WriteString(spelling)
	}
	flush()
	return b.String()
}

// state is what a client carries from one chunk to the next: vLLM's DerenderStreamState.
type state struct {
	window
	roleSent  bool
	context   []int64 // last tokens, for likelihoods
	offset    int64   // characters so far, for likelihoods
	ids       []int64 // all tokens, and below how many came with each chunk: where a parser reads them again
	lens      []int64
	toolsSent bool
	calls     []string // their ids
}

// readState takes what the client carried, else it begins behind the prompt.
func readState(v *schema.Values, tok *tokenizer.Tokenizer, prompt []int64, hide bool) state {
	if v == nil {
		return state{window: newWindow(tok, prompt, hide)}
	}
	prefix, _ := v.Int("prefix_offset")
	read, _ := v.Int("read_offset")
	offset, _ := v.Int("logprob_text_offset")
	const far = 1 << 30 // farther than any token
	return state{window: window{tok: tok, hide: hide, tokens: protocol.Texts(v.Get("prev_tokens")), prefix: int(min(prefix, far)), read: int(min(read, far))},
		roleSent: v.Bool("role_sent"), context: protocol.Int64s(v.Get("logprob_context_token_ids")), offset: offset, ids: protocol.Int64s(v.Get("output_token_ids")),
		lens: protocol.Int64s(v.Get("output_chunk_lens")), toolsSent: v.Bool("tools_streamed"), calls: protocol.Texts(v.Get("last_tool_call_ids"))}
}

// contextSize is how many tokens can make a character.
const contextSize = 4

// told notes tokens whose likelihoods may have been told.
func (s *state) told(ids []int64) {
	ids = append(append([]int64{}, s.context...), ids...)
	s.context = ids[max(0, len(ids)-contextSize):]
}

func (s *state) append(b []byte) []byte {
	b = protocol.AppendJSON(append(b, `{"prev_tokens":`...), protocol.Items(s.tokens))
	b = strconv.AppendInt(append(b, `,"prefix_offset":`...), int64(s.prefix), 10)
	b = strconv.AppendInt(append(b, `,"read_offset":`...), int64(s.read), 10)
	b = strconv.AppendBool(append(b, `,"role_sent":`...), s.roleSent)
	b = protocol.AppendJSON(append(b, `,"logprob_context_token_ids":`...), protocol.Items(s.context))
	b = strconv.AppendInt(append(b, `,"logprob_text_offset":`...), s.offset, 10)
	b = protocol.AppendJSON(append(b, `,"output_token_ids":`...), protocol.Items(s.ids))
	b = protocol.AppendJSON(append(b, `,"output_chunk_lens":`...), protocol.Items(s.lens))
	b = strconv.AppendBool(append(b, `,"tools_streamed":`...), s.toolsSent)
	return append(protocol.AppendJSON(append(b, `,"last_tool_call_ids":`...), protocol.Items(s.calls)), '}')
}

// promptOf is the prompt that a request tells, else the one that the tokens came with.
func promptOf(given any, from *schema.Values) []int64 {
	if given != nil {
		return protocol.Int64s(given)
	}
	return protocol.Int64s(from.Get("prompt_token_ids"))
}

// usageOf counts the tokens of a chunk, null when it does not tell them.
func usageOf(b []byte, chunk *schema.Values, prompt any) []byte {
	u := chunk.Values("usage")
	if u == nil {
		return append(b, "null"...)
	}
	n, ok := schema.Int(prompt)
	if !ok {
		n, _ = u.Int("prompt_tokens")
	}
	completion, _ := u.Int("completion_tokens")
	return protocol.Usage{Prompt: int(n), Completion: int(completion)}.Append(b)
}

// appendReasons writes why an answer ended, the second reason as it came.
func appendReasons(b []byte, finish any, choice *schema.Values) []byte {
	b = protocol.AppendJSON(append(b, `,"finish_reason":`...), finish)
	return protocol.AppendJSON(append(b, `,"stop_reason":`...), choice.Get("stop_reason"))
}

// named is the model that an answer tells.
func named(v *schema.Values, h protocol.Head) string {
	if name := request.Str(v, "model"); name != "" {
		return name
	}
	return h.Model
}

// idOf is the id of the tokens, a new one when they came without.
func idOf(v *schema.Values) string {
	if id, given := v.Str("request_id"); given {
		return id
	}
	return protocol.NewID()
}

func appendHead(b []byte, v, from *schema.Values, object string, h protocol.Head) []byte {
	b = pyjson.AppendString(append(b, `{"id":`...), idOf(from))
	b = strconv.AppendInt(append(b, `,"object":"`+object+`","created":`...), h.Created, 10)
	b = pyjson.AppendString(append(b, `,"model":`...), named(v, h))
	return append(b, `,"choices":[`...)
}
