package value

import "github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"

// Call is what a template calls something with.
type Call struct {
	Args   []any
	Named  *pyjson.Object
	Caller any // the macro of a call block, or nil
}

// Arg returns the i-th argument, or the one of that name, or otherwise.
func (c Call) Arg(i int, name string, otherwise any) any {
	if i < len(c.Args) {
		return Plain(c.Args[i])
	}
	if v, ok := c.Named.Get(name); ok {
		return Plain(v)
	}
	return otherwise
}

// Text is an argument that has to be a string.
func (c Call) Text(i int, name, otherwise string) (string, error) {
	v := c.Arg(i, name, otherwise)
	if s, ok := v.(string); ok {
		return s, nil
	}
	if err := Usable(v); err != nil {
		return "", err
	}
	return "", Failf("argument %d must be str, not %s", i+1, TypeName(v))
}

// Int is an argument that has to be an integer.
func (c Call) Int(i int, name string, otherwise int64) (int64, error) {
	v := c.Arg(i, name, otherwise)
	if n, _, isInt, ok := Number(v); ok && isInt {
		return n, nil
	}
	return 0, Failf("'%s' object cannot be interpreted as an integer", TypeName(v))
}
