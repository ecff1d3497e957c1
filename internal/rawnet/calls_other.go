//go:build unix && (!linux || race)

package rawnet

import "syscall"

func read(fd uintptr, b []byte) (int, error) {
	for {
		if n, err := syscall.Read(int(fd), b); err != syscall.EINTR { //nolint:errorlint // a system call returns it bare
			return max(n, 0), err
		}
	}
}

func write(fd uintptr, b []byte) (int, error) {
	for {
		if n, err := syscall.Write(int(fd), b); err != syscall.EINTR { //nolint:errorlint // as above
			return max(n, 0), err
		}
	}
}
