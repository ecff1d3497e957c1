package protocol

import "fmt"

// list reads a list that may be null.
func (f *fields) list(name string) []any {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	l, ok := v.([]any)
	if !ok {
		f.fault(name, "list_type", "Input should be a valid list", v, "")
	}
	return l
}

// requiredList reads a list that must be there.
func (f *fields) requiredList(name string) []any {
	f.missing(name)
	f.notNull(name, "list_type", "Input should be a valid list")
	return f.list(name)
}

// integers reads a list of integers.
func (f *fields) integers(name string) []int {
	var ids []int
	for i, v := range f.list(name) {
		n, kind, msg := laxInt(v)
		if kind != "" {
			f.fault(fmt.Sprintf("%s.%d", name, i), kind, msg, v, "")
		}
		ids = append(ids, int(n))
	}
	return ids
}

// dict reads an object that may be null.
func (f *fields) dict(name string) object {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	o, ok := v.(object)
	if !ok {
		f.fault(name, "dict_type", "Input should be a valid dictionary", v, "")
	}
	return o
}

// maxStops is vLLM's VLLM_MAX_STOP_STRINGS.
const maxStops = 4

// stops reads a string or a list of at most four.
func (f *fields) stops(name string) []string {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	if s, ok := v.(string); ok {
		return []string{s}
	}
	list, isList := v.([]any)
	before := len(f.faults)
	f.fault(name, "string_type", "Input should be a valid string", v, "")
	var stops []string
	switch {
	case !isList:
		f.fault(name, "list_type", "Input should be a valid list", v, "")
	case len(list) > maxStops:
		f.tooMany(name, len(list))
	default:
		for i, item := range list {
			s, ok := item.(string)
			if !ok {
				f.fault(fmt.Sprintf("%s.%d", name, i), "string_type", "Input should be a valid string", item, "")
			}
			stops = append(stops, s)
		}
	}
	if isList && len(f.faults) == before+1 { // the list is good, so that it is no string is none
		f.faults = f.faults[:before]
	}
	return stops
}

// tooMany is the fault of a list with more than maxStops items.
func (f *fields) tooMany(name string, n int) {
	f.fault(name, "too_long", fmt.Sprintf("List should have at most %d items after validation, not %d", maxStops, n), f.from[name],
		fmt.Sprintf("{'field_type': 'List', 'max_length': %d, 'actual_length': %d}", maxStops, n))
}
