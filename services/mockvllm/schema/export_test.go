package schema

// Fields are the names of the model's fields, in its order.
func (v *Values) Fields() []string {
	names := make([]string, len(v.shape.fields))
	for i, f := range v.shape.fields {
		names[i] = f.name
	}
	return names
}
