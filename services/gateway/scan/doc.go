// Package scan walks over JSON without building values: it checks the syntax and tells where the members of an object
// stand, so that the gateway can look into bodies and answers and still forward the very bytes that came.
//
// It accepts what Python's json module accepts, the parser of vLLM: RFC 8259 plus NaN, Infinity and -Infinity, and a
// byte-order mark. It refuses invalid UTF-8, as that module does for bytes.
package scan
