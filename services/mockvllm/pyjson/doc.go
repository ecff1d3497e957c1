// Package pyjson reads and writes JSON as the json module of Python 3.11 does, and Python values as repr and str do.
//
// vLLM shows both to its clients: where a body is malformed it says so in the words of json.loads, and its errors quote
// what was sent with repr and str. Decode gives the values
//
//	nil, bool, Number, string, []any, *Object
//
// and the writers take them, and Go's int, int64 and float64 besides. A Go string stands for a Python str. Python carries
// halves of UTF-16 pairs in its strings; here they are the three bytes that UTF-8 would spend on them were they characters
// (as in WTF-8), so they are invalid UTF-8 and cannot come from anywhere else.
//
// decode.go, scan.go and encoding.go read, and fail as errors.go says; object.go and number.go hold the values; write.go and repr.go write.
package pyjson
