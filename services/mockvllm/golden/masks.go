package golden

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// hidden stands for what a mask took away.
type hidden string

// A mask hides what members of some names hold, in answers that are no error. Nothing below a member "error", and nothing in
// an answer with a status of 400 or more, is ever masked.
type mask struct {
	why  string
	keys string
	hide func(any) any // returns its argument for what it does not hide
}

// masks are all that may differ in JSON, be it a body or the data of a frame.
var masks = []mask{
	{"ids are drawn at random; their prefix and form stay",
		"id item_id response_id tool_call_id call_id request_id previous_response_id",
		text(func(s string) any { return randomHex.ReplaceAllString(s, "<hex>") })},
	{"the fingerprint ends with a hash of the server's whole configuration",
		"system_fingerprint",
		text(func(s string) any { return hash.ReplaceAllString(s, "<hash>") })},
	{"the model's own words, and what is derived from them; an empty text stays empty",
		"content text reasoning arguments delta thinking partial_json refusal output_text signature encrypted_content",
		text(func(s string) any {
			if s == "" {
				return s
			}
			return hidden("<text>")
		})},
	{"single words of the model beside their probabilities",
		"token decoded_token suffix",
		text(func(string) any { return hidden("<token>") })},
	{"lists with an entry for each word of the model; an empty list stays empty",
		"token_ids bytes tokens token_logprobs text_offset top_logprobs output_token_ids top_tokens",
		func(v any) any {
			if list, ok := v.([]any); ok && len(list) > 0 {
				return hidden("<list>")
			}
			return v
		}},
	{"alternatives by word, in the older form of completions",
		"top_logprobs",
		func(v any) any {
			if _, ok := v.(object); ok {
				return hidden("<top>")
			}
			return v
		}},
	{"the clock", "created created_at completed_at", number},
	{"measured times and rates",
		"generation_time_ms time_to_first_token_ms queue_time_ms mean_itl_ms tokens_per_second", number},
	{"the model's probabilities", "logprob rank", number},
	{"how much of a prompt is cached depends on what was asked before",
		"cached_tokens cache_write_tokens created_cache_tokens cache_read_input_tokens cache_creation_input_tokens", number},
}

var (
	randomHex = regexp.MustCompile(`[0-9a-f]{16,40}`)
	hash      = regexp.MustCompile(`[0-9a-f]{8}$`)
)

func text(hide func(string) any) func(any) any {
	return func(v any) any {
		if s, ok := v.(string); ok {
			return hide(s)
		}
		return v
	}
}

func number(v any) any {
	if _, ok := v.(json.Number); ok {
		return hidden("<number>")
	}
	return v
}

// masksByKey is masks by the names that they apply to.
var masksByKey = func() map[string][]mask {
	byKey := map[string][]mask{}
	for _, m := range masks {
		for key := range strings.FieldsSeq(m.keys) {
			byKey[key] = append(byKey[key], m)
		}
	}
	return byKey
}()

// applyMasks hides in v, which is what member key holds. The elements of a list count as held by the list's member.
func applyMasks(v any, key string, top bool) any {
	if key == "error" || top && strings.HasPrefix(key, "error") {
		return v
	}
	for _, m := range masksByKey[key] {
		v = m.hide(v)
	}
	switch v := v.(type) {
	case object:
		out := make(object, len(v))
		for i, m := range v {
			out[i] = member{m.key, applyMasks(m.value, m.key, key == "")}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = applyMasks(x, key, top)
		}
		return out
	}
	return v
}

// lengthKeys follow from how long an answer is. They are masked only where the words decide that: a stop sequence, a grammar
// or a tool call ends an answer when the model happens to write it. null stays null.
const lengthKeys = "finish_reason stop_reason completion_tokens total_tokens output_tokens stop_sequence incomplete_details status"

// wordsDecideLength looks at what was asked.
func wordsDecideLength(r Request) bool {
	v, err := parseJSON(string(r.Body))
	body, ok := v.(object)
	if err != nil || !ok {
		return false
	}
	last := map[string]any{}
	for _, m := range body {
		last[m.key] = m.value
	}
	return slices.ContainsFunc([]string{"stop", "stop_sequences", "stop_token_ids", "repetition_detection", "response_format",
		"structured_outputs", "tools", "text", "output_config"}, func(key string) bool { return isTrue(last[key]) })
}

// isTrue is Python's truth of a value.
func isTrue(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case json.Number:
		f, err := v.Float64()
		return err != nil || f != 0
	case object:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return false
}

func hideLengths(v any) any {
	return hideMembers(v, func(m member) any {
		if m.value != nil && slices.Contains(strings.Fields(lengthKeys), m.key) {
			return hidden("<length>")
		}
		return m.value
	})
}

// hideCounters hides what counts up from frame to frame, so that frames with the same content are equal: how many tokens
// share a frame depends on how busy the server was.
func hideCounters(v any) any {
	return hideMembers(v, func(m member) any {
		usage, ok := m.value.(object)
		switch {
		case m.key == "sequence_number":
			return hidden("<n>")
		case m.key == "usage" && ok:
			return hideMembers(usage, func(m member) any {
				if m.key == "completion_tokens" || m.key == "total_tokens" {
					return hidden("<n>")
				}
				return m.value
			})
		}
		return m.value
	})
}

// hideMembers replaces what members hold, from the outside in.
func hideMembers(v any, hide func(member) any) any {
	switch v := v.(type) {
	case object:
		out := make(object, len(v))
		for i, m := range v {
			out[i] = member{m.key, hideMembers(hide(m), hide)}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = hideMembers(x, hide)
		}
		return out
	}
	return v
}

// maskHeader hides the values of headers that vary: the clock, the length of a body that varies, random ids (one that the
// client sent comes back as it is), and the load of the server. The methods in allow come from a Python set.
func maskHeader(name, value string) string {
	switch name {
	case "date":
		if _, err := time.Parse(http.TimeFormat, value); err == nil {
			return "<date>"
		}
	case "content-length", "endpoint-load-metrics":
		return "*"
	case "x-request-id":
		return randomHex.ReplaceAllString(value, "<hex>")
	case "allow":
		methods := strings.Split(value, ", ")
		slices.Sort(methods)
		return strings.Join(methods, ", ")
	}
	return value
}

var (
	links    = regexp.MustCompile(`https?://[^"' >]+`)
	families = regexp.MustCompile(`(?m)^# TYPE ((?:vllm:|http_)\S+ \S+)$`)
)

// maskText hides in a body that is no JSON: addresses of pages that a documentation page loads; of metrics everything but
// the names and types of the server's own families, because the values are compared by a test of their own.
func maskText(body, contentType string) string {
	switch {
	case strings.HasPrefix(body, "# HELP"):
		names := families.FindAllString(body, -1)
		slices.Sort(names)
		return strings.Join(slices.Compact(names), "\n")
	case strings.Contains(contentType, "text/html"):
		return links.ReplaceAllString(body, "<url>")
	}
	return body
}
