package keys

import (
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// undeclared notices keys for models that are not there: a name that was mistyped looks to its holder like a model that does not
// exist, and to nobody else.
type undeclared struct {
	mu     sync.Mutex
	models []fleet.Model     // declared; nil before they are known
	told   map[string]string // names by the id of the key
}

// declare notes the models in force.
func (u *undeclared) declare(models []fleet.Model) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.models = models
}

// tell logs the keys with names that no model has, each once for the same names.
func (u *undeclared) tell(log *zap.Logger, ring *Ring) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.models == nil {
		return
	}
	told := map[string]string{}
	for _, k := range ring.Keys() {
		strange := slices.DeleteFunc(slices.Clone(k.Models), func(name string) bool { return declared(name, u.models) })
		if len(strange) == 0 {
			continue
		}
		told[k.ID] = strings.Join(strange, ", ")
		if told[k.ID] != u.told[k.ID] {
			log.Warn("a key is for models that are not declared; models are named by id or alias",
				zap.String("key", k.ID), zap.Strings("models", strange))
		}
	}
	u.told = told
}

func declared(name string, models []fleet.Model) bool {
	one := Key{Models: []string{name}}
	return slices.ContainsFunc(models, func(m fleet.Model) bool { return one.MayUse(m.ID, m.Aliases) })
}
