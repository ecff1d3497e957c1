package content

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template"
)

// partFields are the types of content parts, with the field of what a part holds.
var partFields = map[string]string{"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal", "thinking": "thinking",
	"tool_reference": "name", "image_url": "image_url", "input_image": "image_url", "image_pil": "image_pil", "audio_url": "audio_url",
	"input_audio": "input_audio", "video_url": "video_url", "image_embeds": "image_embeds", "audio_embeds": "audio_embeds",
	"video_embeds": "video_embeds", "prompt_embeds": "data"}

// checked are the types whose parts vLLM holds against a definition once more.
var checked = map[string]string{"image_url": "ChatCompletionContentPartImageParam", "audio_url": "ChatCompletionContentPartAudioParam",
	"video_url": "ChatCompletionContentPartVideoParam", "input_image": "ResponseInputImageParam"}

// mediaFields tell the type of a part that has none, or that is named by a uuid, in this order.
var mediaFields = []string{"image_url", "image_pil", "image_embeds", "audio_embeds", "video_embeds", "prompt_embeds", "audio_url", "input_audio",
	"video_url", "tool_reference"}

// Reader reads messages as a model that knows text alone.
type Reader struct {
	Model   string          // what refusals call it
	Format  template.Format // of contents, as the chat template wants them
	Fetches bool            // media is fetched before the model is found to take none
}

// Read has the parts of contents validated, which vLLM does only here, and refuses what is for no model that reads text alone.
// Messages that are no *pyjson.Object are passed over.
func (r Reader) Read(messages []any) *protocol.Error {
	for _, m := range messages {
		o, ok := m.(*pyjson.Object)
		if !ok {
			continue
		}
		parts, isList, err := schema.Items(o.Value("content"))
		if refused := r.check(parts); refused != nil {
			return refused
		}
		if err != nil {
			return protocol.Refused(err)
		}
		if isList {
			o.Set("content", parts)
		}
		list, isList, err := schema.Items(o.Value("tool_calls"))
		if err != nil {
			return protocol.Refused(err)
		}
		if isList {
			o.Set("tool_calls", list)
		}
	}
	for _, m := range messages {
		o, _ := m.(*pyjson.Object)
		if err := checkCalls(o); err != nil {
			return err
		}
	}
	return nil
}

func (r Reader) check(parts []any) *protocol.Error {
	texts := 0
	for _, part := range parts {
		o, ok := part.(*pyjson.Object)
		if !ok {
			texts++
			continue
		}
		kind, refused := partType(o)
		if refused != nil {
			return refused
		}
		switch kind {
		case "text", "input_text", "output_text", "refusal", "thinking", "tool_reference":
			held := o.Value(partFields[kind])
			if _, isText := held.(string); !isText && schema.Truthy(held) && r.Format == template.String {
				return protocol.BadRequest("sequence item %d: expected str instance, %s found", texts, pyjson.TypeName(held))
			}
			if schema.Truthy(held) {
				texts++
			}
		default:
			if r.Fetches {
				if err := fetch(o, kind); err != nil {
					return err
				}
			}
			return noMedia(o, kind, r.Model)
		}
	}
	return nil
}

// partType is what a part says of itself, or what its fields tell.
func partType(o *pyjson.Object) (string, *protocol.Error) {
	said := o.Value("type")
	kind, isText := said.(string)
	uuid := o.Value("uuid") != nil
	switch {
	case isText && partFields[kind] != "" && !uuid:
		if definition, ok := checked[kind]; ok {
			if err := schema.Check(definition, o); err != nil {
				return "", protocol.Refused(err)
			}
		}
		return kind, nil
	case said == nil || uuid:
		i := slices.IndexFunc(mediaFields, func(field string) bool { _, given := o.Get(field); return given })
		if i < 0 {
			return "", protocol.BadValue("type", "", "Missing 'type' field in multimodal part.")
		}
		return mediaFields[i], nil
	case !isText:
		return "", protocol.BadValue("type", "", "Invalid 'type' field in multimodal part.")
	}
	return kind, nil
}

// noMedia refuses a part of a type that holds no text.
func noMedia(o *pyjson.Object, kind, model string) *protocol.Error {
	switch kind {
	case "image_embeds", "audio_embeds", "video_embeds":
		return protocol.BadRequest("The model is not multimodal.")
	case "prompt_embeds":
		if !schema.Truthy(o.Value("data")) {
			return protocol.BadValue(kind, "", "prompt_embeds content part requires a non-empty `data` field with base64-encoded tensor bytes.")
		}
		return protocol.BadValue(kind, "", "You must set `--enable-prompt-embeds` to input `prompt_embeds`")
	}
	if partFields[kind] != "" {
		return protocol.BadRequest("%s is not a multimodal model", model)
	}
	return protocol.BadValue("type", kind, "Unsupported chat content part type: %s. Supported types: audio_embeds, audio_url, image_embeds, image_pil, "+
		"image_url, input_audio, input_image, input_text, output_text, prompt_embeds, refusal, text, thinking, tool_reference, video_embeds, "+
		"video_url.", pyjson.Repr(kind))
}

// checkCalls refuses calls of an assistant that are of no function.
func checkCalls(message *pyjson.Object) *protocol.Error {
	calls, _ := message.Value("tool_calls").([]any)
	if message.Value("role") != "assistant" {
		return nil
	}
	for _, call := range calls {
		o, ok := call.(*pyjson.Object)
		if !ok {
			return protocol.BadValue("tool_calls", "", "assistant tool_calls entries must be objects.")
		}
		kind, said := o.Get("type")
		if _, ok := o.Value("function").(*pyjson.Object); !ok || said && kind != "function" {
			return protocol.BadValue("tool_calls", "", "chat completions only support assistant tool_calls of type 'function'.")
		}
	}
	return nil
}

// Text joins the text parts of a message's content, as vLLM does for templates that know of no parts.
func Text(content any) string {
	switch content := content.(type) {
	case string:
		return content
	case []any:
		var texts []string
		for _, part := range content {
			o, _ := part.(*pyjson.Object)
			if text, ok := o.Value("text").(string); ok {
				texts = append(texts, text)
			} else if text, ok := o.Value("refusal").(string); ok {
				texts = append(texts, text)
			} else if text, ok := part.(string); ok {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, "\n")
	}
	return ""
}
