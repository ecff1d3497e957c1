// Package syntax makes the tree of a template. nodes.go has what it is made of; statement.go, expr.go and chain.go read it, in
// the order and with the errors of jinja2.parser.
package syntax
