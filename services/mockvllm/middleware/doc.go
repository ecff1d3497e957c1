// Package middleware is what vLLM has every request pass: the access log, the check of keys, ids for answers and HTTP metrics.
package middleware
