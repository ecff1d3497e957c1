// Package schema tells what vLLM's request models accept, and refuses the rest in vLLM's words.
//
// What the models accept is data. tools/export.py walks pydantic's core schemas of every body that an installed vLLM
// binds and writes schema.json; this package validates against it as pydantic-core does in lax mode on what json.loads
// gives:
//
//	node.go       a run over the nodes, its faults and exactness
//	scalar.go, number.go, literal.go, container.go, fields.go, model.go, union.go, function.go   the kinds of nodes
//	load.go, build.go   nodes from schema.json
//	values.go     what Parse gives
//	kind.go, fault.go   types of errors, and their form in vLLM's answers
//	hooks*.go     the validators that vLLM's classes add, in Go, by the names that schema.json has for them
//
// Kinds of nodes ("t" in schema.json) are pydantic's. "of" is what a node wraps or contains, "choices" are the members of
// unions, tuples and chains, "fn" names a validator and "label" is what pydantic calls it. Of json-or-python the Python
// side counts, since FastAPI validates a decoded body.
//
// Parse first looks whether all is well, without a word for the faults, and looks for these only if not; so a good body
// pays nothing for the unions that it walks through. A generator (an Iterable in vLLM's types) takes any list and is
// validated when it is read: see Iterator.
//
// # After an upgrade of vLLM
//
//	VENV/bin/python tools/export.py                                        # writes schema.json
//	VENV/bin/python tools/differ.py testdata/table.jsonl 250 --seed 1 --short
//	VENV/bin/python tools/differ.py /tmp/big.jsonl 2000                    # random bodies, and what vLLM says
//	SCHEMA_TABLE=/tmp/big.jsonl go test -run AsVLLM .
//
// TestHooks names validators that are new.
//
// # Known differences
//
// The regular expressions, grammars and JSON schemas inside of structural tags are not compiled, only the form of the tags
// is checked. Where a class's own text would be the input of an error (a model that a validator has made), the text is
// not Python's.
package schema
