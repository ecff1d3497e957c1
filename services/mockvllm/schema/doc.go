// Package schema tells what vLLM's request models accept, and refuses the rest in vLLM's words.
//
//	schema ──► declared ──► pydantic ──► scalar ──► node ──► fault ──► refusal ──► python
//
// What the models accept is data. tools/export.py walks pydantic's core schemas of every body that an installed vLLM
// binds and writes declared/schema.json; beside it are the validators that vLLM's classes add, in Go, by the names that
// schema.json has for them. pydantic validates against both as pydantic-core does in lax mode on what json.loads gives; scalar
// has the validators of single values, node what all of them share. values are what becomes of a body; fault is what is wrong
// with it, refusal what a client hears of that, and python what Python makes of values. This package is what the rest of the mock
// needs of these.
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
//	VENV/bin/python tools/export.py                                        # writes declared/schema.json
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
