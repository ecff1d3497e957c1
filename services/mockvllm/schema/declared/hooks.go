package declared

import (
	_ "embed" // the schemas
	"maps"
	"strings"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/pydantic"
)

//go:embed schema.json
var data []byte

// Models builds vLLM's request models at the first use.
var Models = sync.OnceValue(func() *pydantic.Models { return pydantic.Load(data, hookOf) })

// hooks are the validators that vLLM's request models have, by class and name, or by name where many classes have the
// same. One that stands here without a function changes nothing that a client could see.
var hooks = map[string]pydantic.Hook{}

// register adds the hooks of a file. They are no literal of the variable, since some reach back to the models.
func register(more map[string]pydantic.Hook) { maps.Copy(hooks, more) }

// hookOf finds a validator by its name, or by the part behind the class where many classes have it.
func hookOf(name string) pydantic.Hook {
	if h, ok := hooks[name]; ok {
		return h
	}
	_, method, _ := strings.Cut(name, ".")
	return hooks[method]
}
