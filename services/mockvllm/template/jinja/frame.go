package jinja

// Bounds of one rendering.
const (
	maxSteps = 2_000_000 // expressions and statements; a conversation of 10,000 messages takes a fifth of it
	maxBuilt = 256 << 20 // bytes of all strings and lists that are made on the way
	maxRange = 100_000   // MAX_RANGE of Jinja's sandbox
)

// state is what one rendering has used up.
type state struct{ steps, built, depth int }

func (s *state) step() error {
	if s.steps++; s.steps > maxSteps {
		return ErrTooMuch
	}
	return nil
}

// charge takes the cost of n bytes that are made or looked at.
func (s *state) charge(n int) error {
	s.built += n
	s.steps += n / 64
	if s.built > maxBuilt || s.steps > maxSteps {
		return ErrTooMuch
	}
	return nil
}

// enter counts a level of nesting while rendering.
func (s *state) enter() error {
	if s.depth++; s.depth > maxDepth {
		return ErrTooMuch
	}
	return nil
}

type binding struct {
	name  string
	value any
}

// scope holds the variables of a template, a loop's turn or a macro's call.
type scope struct {
	vars   []binding
	parent *scope
}

func (s *scope) set(name string, v any) {
	for i := range s.vars {
		if s.vars[i].name == name {
			s.vars[i].value = v
			return
		}
	}
	s.vars = append(s.vars, binding{name, v})
}

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.parent {
		for i := range s.vars {
			if s.vars[i].name == name {
				return s.vars[i].value, true
			}
		}
	}
	return nil, false
}

// frame is where a statement runs: its variables, and where its text goes.
type frame struct {
	*state
	scope    *scope
	out      *[]byte
	captured string // what {% filter %} and {% set %} with a filter work on
}

func (f *frame) inner() *frame {
	return &frame{state: f.state, scope: &scope{parent: f.scope}, out: f.out, captured: f.captured}
}

func (f *frame) write(s string) error {
	*f.out = append(*f.out, s...)
	return f.charge(len(s))
}

func (f *frame) run(body []stmt) error {
	for _, s := range body {
		if err := f.step(); err != nil {
			return err
		}
		if err := s.run(f); err != nil {
			return err
		}
	}
	return nil
}

// capture runs body and returns its text.
func (f *frame) capture(body []stmt) (string, error) {
	var out []byte
	in := f.inner()
	in.out = &out
	err := in.run(body)
	return string(out), err
}
