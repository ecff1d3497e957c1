//go:build !linux

package hangup

import "syscall"

// Watch is what can watch no connection here.
type Watch struct{}

// Add returns 0.
func (*Watch) Add(syscall.RawConn, Conn) (id int32) { return 0 }

// Remove does nothing.
func (*Watch) Remove(int32) {}

// Close does nothing.
func (*Watch) Close() error { return nil }
