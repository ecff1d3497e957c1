// Package pydantic validates values against models as pydantic-core does.
//
//	models.go     all models, and what is done with one
//	container.go, fields.go, model.go, union.go, function.go   the kinds of nodes that hold others
//	load.go, build.go   nodes from schema.json
//	values.go, dump.go  what a model makes of a body
package pydantic
