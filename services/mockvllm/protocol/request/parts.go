package request

import (
	"net/http"
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

// read has the parts of contents validated, which vLLM does only here, and refuses what is for no model that reads text alone.
func (c *Conversation) read(model string, f template.Format) *protocol.Error {
	for _, m := range c.Messages {
		o, ok := m.(*pyjson.Object)
		if !ok {
			continue
		}
		content, _ := o.Get("content")
		parts, isList, err := schema.Items(content)
		if refused := c.checkParts(parts, model, f); refused != nil {
			return refused
		}
		if err != nil {
			return protocol.Refused(err)
		}
		if isList {
			o.Set("content", parts)
		}
		calls, _ := o.Get("tool_calls")
		list, isList, err := schema.Items(calls)
		if err != nil {
			return protocol.Refused(err)
		}
		if isList {
			o.Set("tool_calls", list)
		}
	}
	for _, m := range c.Messages {
		if err := checkCalls(m); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conversation) checkParts(parts []any, model string, f template.Format) *protocol.Error {
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
			held := get(o, partFields[kind])
			if _, isText := held.(string); !isText && schema.Truthy(held) && f == template.String {
				return protocol.BadRequest("sequence item %d: expected str instance, %s found", texts, pyjson.TypeName(held))
			}
			if schema.Truthy(held) {
				texts++
			}
		default:
			if c.Fetches {
				if err := fetch(o, kind); err != nil {
					return err
				}
			}
			return noMedia(o, kind, model)
		}
	}
	return nil
}

// partType is what a part says of itself, or what its fields tell.
func partType(o *pyjson.Object) (string, *protocol.Error) {
	said := get(o, "type")
	kind, isText := said.(string)
	uuid := get(o, "uuid") != nil
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

// fetch refuses what cannot be fetched. What can is as if it had been.
func fetch(o *pyjson.Object, kind string) *protocol.Error {
	if !slices.Contains([]string{"image_url", "input_image", "audio_url", "video_url"}, kind) {
		return nil
	}
	held := get(o, partFields[kind])
	url, _ := held.(string)
	if inner, ok := get(held, "url").(string); ok {
		url = inner
	}
	scheme, _, _ := strings.Cut(strings.ToLower(url), ":")
	switch {
	case url == "" || scheme == "data" || strings.HasPrefix(scheme, "http"):
		return nil
	case scheme == "file":
		return &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal,
			Message: "Cannot load local files without `--allowed-local-media-path`."}
	}
	return protocol.BadRequest("The URL must be either a HTTP, data or file URL.")
}

// noMedia refuses a part of a type that holds no text.
func noMedia(o *pyjson.Object, kind, model string) *protocol.Error {
	switch kind {
	case "image_embeds", "audio_embeds", "video_embeds":
		return protocol.BadRequest("The model is not multimodal.")
	case "prompt_embeds":
		if !schema.Truthy(get(o, "data")) {
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
func checkCalls(m any) *protocol.Error {
	calls, _ := get(m, "tool_calls").([]any)
	if get(m, "role") != "assistant" {
		return nil
	}
	for _, call := range calls {
		o, ok := call.(*pyjson.Object)
		if !ok {
			return protocol.BadValue("tool_calls", "", "assistant tool_calls entries must be objects.")
		}
		kind, said := o.Get("type")
		if _, ok := get(o, "function").(*pyjson.Object); !ok || said && kind != "function" {
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
			if text, ok := get(part, "text").(string); ok {
				texts = append(texts, text)
			} else if text, ok := get(part, "refusal").(string); ok {
				texts = append(texts, text)
			} else if text, ok := part.(string); ok {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, "\n")
	}
	return ""
}
