// Package handlers answers over HTTP for a pooling model.
package handlers
