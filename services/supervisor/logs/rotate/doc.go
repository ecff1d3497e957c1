// Package rotate keeps a growing text of whole lines on disk within bounds, and goes on where a predecessor was torn away.
package rotate
