// Package endpoint is what a path of the API means: which endpoint of a model server, under which path there, how its streams end, and
// whether it is one for administrators. The rule stands in the documentation of the gateway.
package endpoint
