// Package plan shows what a models file would start, after a look at its command lines.
package plan
