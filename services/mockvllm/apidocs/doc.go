// Package apidocs is how vLLM describes itself: /openapi.json, and the two pages that show it.
//
// openapi.json.gz holds what FastAPI answered in vLLM 0.32 for each kind of server, with every optional route on: a list of
// distinct values, and for each kind its operations and its schemas as pairs of a name and a position in that list. A server
// that has fewer routes describes those alone, and the schemas that they lead to.
package apidocs
