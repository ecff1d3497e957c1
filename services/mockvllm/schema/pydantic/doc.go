// Package pydantic validates values against models as pydantic-core does.
//
//	models.go     all models, and what is done with one
//	node.go       a run over the nodes, its faults and exactness
//	scalar.go, number.go, literal.go, container.go, fields.go, model.go, union.go, function.go   the kinds of nodes
//	load.go, build.go   nodes from schema.json
//	values.go, dump.go  what a model makes of a body
package pydantic
