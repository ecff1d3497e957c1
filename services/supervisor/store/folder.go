package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// Folder is a folder that belongs to this process until Close, or until the process ends, however it does.
type Folder struct {
	path string

	mu   sync.Mutex
	lock *os.File
}

// openFolder makes the folder if there is none and locks it. While another process has it, the error tells that one's pid.
func openFolder(path string) (*Folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	// The file stays when the lock is given back: were it removed, two processes could each have a lock on a file of this name.
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the state folder: %w", err)
	}
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		err = fmt.Errorf("the state folder %s is in use by the process with pid %s: end that one, or name another folder", path, holder(lock))
	case err != nil:
		err = fmt.Errorf("lock the state folder %s: %w", path, err)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	// Only people read it, and a full disk is no reason not to begin.
	if lock.Truncate(0) == nil {
		_, _ = fmt.Fprintln(lock, os.Getpid())
	}
	return &Folder{path: path, lock: lock}, nil
}

// Ours is nil while the folder is the one that was locked. Once somebody has removed it, another process may have one of this name.
func (f *Folder) Ours() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	named, err := os.Stat(f.Path("lock"))
	if err != nil {
		return fmt.Errorf("the state folder was removed: %w", err)
	}
	held, err := f.lock.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(named, held) {
		return fmt.Errorf("the state folder %s was removed and is another one by now", f.path)
	}
	return nil
}

// Retake makes and locks the folder again after it was removed.
func (f *Folder) Retake() error {
	again, err := openFolder(f.path)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.lock
	f.lock = again.lock
	return before.Close()
}

// holder is who has written into the lock.
func holder(lock *os.File) string {
	text, _ := io.ReadAll(io.LimitReader(lock, 20))
	return cmp.Or(string(bytes.TrimSpace(text)), "unknown")
}

// Path is where a file of the folder is.
func (f *Folder) Path(name string) string { return filepath.Join(f.path, name) }

// Close gives the folder back. Its files stay.
func (f *Folder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lock.Close()
}
