package lexer

// SyntaxError is a template that does not parse (TemplateSyntaxError).
type SyntaxError struct{ Message string }

// Error is Python's str of the error, which does not name the line.
func (e *SyntaxError) Error() string { return e.Message }
