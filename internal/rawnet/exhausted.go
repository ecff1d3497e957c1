package rawnet

import (
	"errors"
	"slices"
	"syscall"
)

// Exhausted tells that no connection was accepted or made because this process or machine has no descriptor or memory for one. It says
// nothing about the other side, and passes.
func Exhausted(err error) bool {
	return slices.ContainsFunc([]syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM},
		func(e syscall.Errno) bool { return errors.Is(err, e) })
}
