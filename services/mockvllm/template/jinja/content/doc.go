// Package content finds out how a template takes the content of a message: as a text or in parts.
package content
