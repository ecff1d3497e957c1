package schema

import "maps"

// hooks are the validators that vLLM's request models have, by class and name, or by name where many classes have the
// same. One that stands here without a function changes nothing that a client could see.
var hooks = map[string]hook{}

// register adds the hooks of a file. They are no literal of the variable, since some reach back to the models.
func register(more map[string]hook) { maps.Copy(hooks, more) }
