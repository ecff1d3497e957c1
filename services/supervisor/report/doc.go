// Package report is what people and their tools are told of the models: the answers of the management API, made of what hangs
// on the board. The document docs/openapi.yaml describes them.
package report
