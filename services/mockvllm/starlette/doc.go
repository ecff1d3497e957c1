// Package starlette finds the routes of requests, and marks answers for browsers, as the web framework below FastAPI does.
package starlette
