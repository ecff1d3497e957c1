// Package clip cuts text that others made long.
package clip
