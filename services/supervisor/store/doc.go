// Package store keeps what has to survive the supervisor, in a folder that belongs to one supervisor at a time.
package store
