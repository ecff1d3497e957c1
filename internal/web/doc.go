// Package web is the HTTP server side that the services share: a server that stops without losing requests and holds against slow
// and hostile clients, handlers that return errors, request ids, one log line a request, health endpoints and the probe
// that container health checks use.
package web
