package content

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// fetch refuses what its URL tells cannot be fetched or read. Nothing is fetched: whatever else there is to find counts as media.
func fetch(o *pyjson.Object, kind string) *protocol.Error {
	held := o.Value(partFields[kind])
	inner, _ := held.(*pyjson.Object)
	switch kind {
	case "input_audio":
		data, _ := inner.Value("data").(string)
		return decode(data)
	case "image_url", "input_image", "audio_url", "video_url":
	default:
		return nil
	}
	from, _ := held.(string)
	if address, ok := inner.Value("url").(string); ok {
		from = address
	}
	scheme, _, _ := strings.Cut(strings.ToLower(from), ":")
	parsed, _ := url.Parse(from)
	switch {
	case scheme == "data" && len(from) > len(scheme):
		return embedded(from)
	case (scheme == "http" || scheme == "https") && parsed != nil && parsed.Host == "":
		err := protocol.BadValue("image_url", from, "Failed to fetch media from URL: Invalid URL format")
		err.Status, err.Type = http.StatusUnprocessableEntity, protocol.TypeUnprocessable
		return err
	case from == "" || strings.HasPrefix(scheme, "http"):
		return nil
	case scheme == "file":
		return &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal,
			Message: "Cannot load local files without `--allowed-local-media-path`."}
	}
	return protocol.BadRequest("The URL must be either a HTTP, data or file URL.")
}

// longestQuote is how many characters of a URL are told.
const longestQuote = 32

// embedded looks at a URL that holds the data itself.
func embedded(from string) *protocol.Error {
	about, data, whole := strings.Cut(from[len("data:"):], ",")
	if !whole {
		runes := []rune(from)
		return protocol.BadRequest("Invalid data URL %s: missing ',' separator.", pyjson.Repr(string(runes[:min(len(runes), longestQuote)])))
	}
	if !strings.HasSuffix(about, ";base64") {
		return &protocol.Error{Status: http.StatusNotImplemented, Type: protocol.TypeNotImplemented, Message: "Only base64 data URLs are supported for now."}
	}
	return decode(data)
}

// decode refuses what is no base64, in which a line may not break.
func decode(data string) *protocol.Error {
	if _, err := base64.StdEncoding.DecodeString(data); err != nil || strings.ContainsAny(data, "\r\n") {
		return protocol.BadRequest("Non-base64 digit found")
	}
	return nil
}
