// Package builtin has the filters, tests and globals of Jinja2 that chat templates find in transformers' environment.
package builtin
