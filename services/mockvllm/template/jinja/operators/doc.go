// Package operators is what expressions do with values: operators, members, slices, and the methods of strings, lists and dicts.
package operators
