// Package added cuts out of a text what stands for one token as a whole, whatever the merges say: control tokens and marks.
package added
