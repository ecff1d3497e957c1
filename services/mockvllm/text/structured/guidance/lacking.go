package guidance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/keyword"
)

// lacking are keywords that the library does not know how to follow, in the order in which it names them.
var lacking = []string{
	"$dynamicRef", "contains", "contentEncoding", "contentMediaType", "contentSchema", "dependentRequired", "dependentSchemas", "else", "if",
	"maxContains", "minContains", "not", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties", "uniqueItems",
}

// beyond is what it says of an object that is beyond it.
func beyond(s *pyjson.Object) string {
	var missing []string
	for _, key := range lacking {
		if keyword.Has(s, key) {
			missing = append(missing, `"`+key+`"`)
		}
	}
	if missing != nil {
		return fmt.Sprintf("Unimplemented keys: [%s]", strings.Join(missing, ", "))
	}
	return ""
}

// counted is what is said of how many properties there are to be.
func counted(s, properties *pyjson.Object, required []any) string {
	least, _ := s.Value("minProperties").(pyjson.Number)
	v, limited := s.Get("maxProperties")
	most, _ := v.(pyjson.Number)
	if _, _, wrong := crossed(s, "minProperties", "maxProperties"); wrong {
		return unsatisfiable + "minProperties > maxProperties"
	}
	if limited && float64(len(required)) > most.Float() {
		return unsatisfiable + "required > maxProperties"
	}
	if !limited && (least == "" || least.Float() == 0) {
		return ""
	}
	for name := range properties.All() {
		if !slices.Contains(required, any(name)) {
			return `min/maxProperties only supported when all keys listed in "properties" are required`
		}
	}
	return ""
}
