//go:build linux && !race

package rawnet

import (
	"syscall"
	"unsafe"
)

// Those for sockets go past what the kernel has around files.
func read(fd uintptr, b []byte) (int, error) { return call(syscall.SYS_RECVFROM, fd, b) }

func write(fd uintptr, b []byte) (int, error) { return call(syscall.SYS_SENDTO, fd, b) }

// call makes a call that does not wait. b is not empty.
func call(number, fd uintptr, b []byte) (int, error) {
	for {
		const flags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
		n, _, errno := syscall.RawSyscall6(number, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), flags, 0, 0) //nolint:gosec // what the system call takes
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
