// Package operations is what a server tells of itself, and what an operator may ask of it, apart from answers.
package operations
