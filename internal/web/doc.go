// Package web is the HTTP server side that the services share: serving with a drain, handlers that return errors,
// request ids, one log line a request, health endpoints and the probe that container health checks use.
package web
