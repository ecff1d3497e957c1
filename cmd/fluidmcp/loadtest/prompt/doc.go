// Package prompt writes the bodies of the requests: synthetic ones of a wanted length, or those of a file.
package prompt
