package keys

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
)

// digest is the SHA-256 of a secret.
type digest [sha256.Size]byte

// Ring is all keys of one version of the file. It never changes.
type Ring struct {
	keys   []*Key // in the order of the file
	byHash map[digest]*Key
}

// Keys lists the keys in the order of the file. They are not to be changed.
func (r *Ring) Keys() []*Key { return r.keys }

// Find returns the key of a secret, in force or not: Check tells. See the package's comment for what its time tells.
func (r *Ring) Find(secret string) (*Key, bool) {
	var buf [128]byte // a conversion would allocate
	k, ok := r.byHash[sha256.Sum256(append(buf[:0], secret...))]
	return k, ok
}

// maxFile bounds a file of keys. Ten thousand keys take about three megabytes.
const maxFile = 16 << 20

// Load reads a file of keys.
func Load(path string) (*Ring, error) {
	data, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// Read returns the text of a file of keys.
func Read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return nil, fmt.Errorf("key file %s: %w; check the path, or make it with: fluidmcp keys new --file %s", path, fs.ErrNotExist, path)
	case err != nil:
		return nil, fmt.Errorf("open key file: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("key file %s is a directory: name a file in it", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1)) // a pipe may be endless
	switch {
	case err != nil:
		return nil, fmt.Errorf("read key file: %w", err)
	case len(data) > maxFile:
		return nil, fmt.Errorf("key file %s has more than the %d bytes that a key file may have", path, maxFile)
	}
	return data, nil
}

// File is the ring in force of a file that is loaded again and again.
type File struct {
	Path string

	ring atomic.Pointer[Ring]
}

// Load puts the file's keys in force. A file with a fault leaves those that are.
func (f *File) Load() error {
	ring, err := Load(f.Path)
	if err == nil {
		f.ring.Store(ring)
	}
	return err
}

// Ring returns the keys in force, nil before the first Load.
func (f *File) Ring() *Ring { return f.ring.Load() }
