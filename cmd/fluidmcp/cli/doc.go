// Package cli is what the commands have in common: what they take, what they say of it, and how they print.
package cli
