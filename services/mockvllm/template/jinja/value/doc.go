// Package value is what templates reckon with, as Python does: truth, order, equality, str, repr and json.dumps.
//
// Values are nil, bool, int64, float64, string, []any, Tuple, *pyjson.Object, Function, *Macro, *Namespace, *Loop, Undefined, and
// pyjson.Number where a caller hands one in. Whatever takes time or memory counts it in a Quota.
package value
