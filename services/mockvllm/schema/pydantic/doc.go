// Package pydantic validates values against models as pydantic-core does.
//
//	models.go     all models, and what is done with one
//	container.go, generator.go, fields.go, model.go, union.go, function.go   the kinds of nodes that hold others
//	load.go, build.go   nodes from schema.json
package pydantic
