package pyjson

// TypeName is the name of a value's type in Python.
func TypeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case string:
		return "str"
	case []any:
		return "list"
	case Number:
		if v.IsInt() {
			return "int"
		}
		return "float"
	}
	return "dict"
}
