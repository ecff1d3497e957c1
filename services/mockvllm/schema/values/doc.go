// Package values is what a model makes of a body: fields with their values and defaults, by name.
package values
