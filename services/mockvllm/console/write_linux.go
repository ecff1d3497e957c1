package console

import (
	"io"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// atOnce is the largest piece that a pipe takes whole when it takes anything.
const atOnce = 4096

// direct is a file that takes small pieces without the runtime: that gives the processor of a goroutine in a system call to others,
// and takes it back for it, which costs more than the write. It is for one writer at a time.
type direct struct {
	file *os.File
	raw  syscall.RawConn // of the file, which keeps its descriptor from being closed meanwhile
	rest []byte          // what is still to be written
	try  func(fd uintptr) (done bool)
}

// newWriter returns out, or where it is a file what writes to it faster.
func newWriter(out io.Writer) io.Writer {
	file, ok := out.(*os.File)
	if !ok {
		return out
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return out
	}
	d := &direct{file: file, raw: raw}
	d.try = d.tryOnce
	return d
}

// Write waits as a file does where that is not ready.
func (d *direct) Write(b []byte) (int, error) {
	d.rest = b
	if len(b) <= atOnce {
		_ = d.raw.Write(d.try) // the file says below why it cannot be written to
	}
	n := len(b) - len(d.rest)
	if n == len(b) {
		return n, nil
	}
	more, err := d.file.Write(d.rest)
	return n + more, err
}

// tryOnce writes when nothing has to be waited for.
func (d *direct) tryOnce(fd uintptr) (done bool) {
	ready := unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT} // a descriptor is no larger
	var now unix.Timespec
	n, _, errno := syscall.RawSyscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&ready)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0) //nolint:gosec // what the system call takes
	if errno != 0 || n != 1 || ready.Revents != unix.POLLOUT || len(d.rest) == 0 {
		return true
	}
	written, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(&d.rest[0])), uintptr(len(d.rest))) //nolint:gosec // as above
	if errno == 0 {
		d.rest = d.rest[written:]
	}
	return true
}
