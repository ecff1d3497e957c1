package structured

import (
	"fmt"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// maxNesting is how deep objects and arrays of a schema may nest, tagNesting how much deeper those of a structural tag.
const (
	maxNesting = 64
	tagNesting = 16
)

// refuse is what vLLM looks at first, in its order.
func refuse(kind Kind, spec string) error {
	blank := strings.TrimSpace(spec) == ""
	switch {
	case kind == Choice && strings.ReplaceAll(spec, " ", "") == "[]":
		return Error("Choice '[]' cannot be an empty list")
	case blank && (kind == Grammar || kind == JSON || kind == StructuralTag):
		return Error(fmt.Sprintf("structured_outputs.%s cannot be an empty string", kind))
	case kind == JSON && nested(spec) > maxNesting, kind == StructuralTag && nested(spec) > maxNesting+tagNesting:
		return Error(fmt.Sprintf("The JSON schema is nested too deeply: objects and arrays may nest at most %d levels", maxNesting))
	case kind == JSONObject && spec == "false":
		return Error("structured_outputs.json_object must be True if set; omit structured_outputs to disable structured outputs")
	case kind == Regex && strings.Contains(spec, "\x00"):
		return Error(`structured_outputs.regex must not contain a NUL character ('\x00')`)
	}
	return nil
}

// nested is how deep a text nests, if it is JSON.
func nested(spec string) int {
	v, err := pyjson.DecodeString(spec)
	if err != nil {
		return 0
	}
	return depth(v)
}

func depth(v any) (deepest int) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			deepest = max(deepest, depth(item))
		}
	case *pyjson.Object:
		for _, member := range v.All() {
			deepest = max(deepest, depth(member))
		}
	default:
		return 0
	}
	return deepest + 1
}
