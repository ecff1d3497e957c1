// Package python is what Python makes of the values of a decoded body.
package python
