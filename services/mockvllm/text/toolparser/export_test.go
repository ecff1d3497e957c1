package toolparser

import (
	"maps"
	"slices"
)

// Supported are the names that Lookup finds, in order.
func Supported() []string { return slices.Sorted(maps.Keys(formats)) }
