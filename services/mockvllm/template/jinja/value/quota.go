package value

// Bounds of one rendering.
const (
	maxSteps = 2_000_000 // expressions and statements; a conversation of 10,000 messages takes a fifth of it
	maxDepth = 200       // calls of macros, and values in values
	MaxBuilt = 256 << 20 // bytes of all strings and lists that are made on the way
)

// Quota is what one rendering has used up.
type Quota struct{ steps, built, depth int }

// Step counts an expression or a statement.
func (q *Quota) Step() error {
	if q.steps++; q.steps > maxSteps {
		return ErrTooMuch
	}
	return nil
}

// Charge takes the cost of n bytes that are made or looked at.
func (q *Quota) Charge(n int) error {
	q.built += n
	q.steps += n / 64
	if q.built > MaxBuilt || q.steps > maxSteps {
		return ErrTooMuch
	}
	return nil
}

// Enter counts a level of nesting while rendering.
func (q *Quota) Enter() error {
	if q.depth++; q.depth > maxDepth {
		return ErrTooMuch
	}
	return nil
}

// Leave takes it back, also where Enter refused.
func (q *Quota) Leave() { q.depth-- }
