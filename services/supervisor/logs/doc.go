// Package logs keeps the last lines that a model server printed.
package logs
