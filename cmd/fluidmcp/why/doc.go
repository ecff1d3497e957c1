// Package why says in words why a server is in its phase.
package why
