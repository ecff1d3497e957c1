package engine

import "slices"

// adapter is a LoRA adapter with sequences that have had an output, which is when vLLM's front end hears of it.
type adapter struct {
	name string
	n    int
}

func (e *Engine) enter(name string) {
	if name == "" {
		return
	}
	i := slices.IndexFunc(e.loras, func(a adapter) bool { return a.name == name })
	if i < 0 {
		i = len(e.loras)
		e.loras = append(e.loras, adapter{name: name})
	}
	e.loras[i].n++
}

func (e *Engine) exit(name string) {
	i := slices.IndexFunc(e.loras, func(a adapter) bool { return a.name == name })
	if i < 0 {
		return
	}
	if e.loras[i].n--; e.loras[i].n == 0 {
		e.loras = slices.Delete(e.loras, i, i+1)
	}
}

// adapterFits counts the adapters of the step.
func (e *Engine) adapterFits(name string) bool {
	if e.cfg.MaxLoRAs == 0 || name == "" {
		return true
	}
	used := make([]string, 0, e.cfg.MaxLoRAs)
	for _, s := range e.running {
		if s.LoRA == name {
			return true
		}
		if s.LoRA != "" && !slices.Contains(used, s.LoRA) {
			used = append(used, s.LoRA)
		}
	}
	return len(used) < e.cfg.MaxLoRAs
}
