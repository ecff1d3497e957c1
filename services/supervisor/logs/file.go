package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// retryAfter is how long a file is left alone that could not be written.
const retryAfter = 10 * time.Second

// file is a growing text in files of a bounded size: path is the newest, path.1 the one before it and so on. A program of its own for
// this, lumberjack, would leave a goroutine behind each file that was closed (natefinch/lumberjack#205).
type file struct {
	path string
	max  int64 // bytes of one file
	keep int   // files

	f      *os.File // nil until the first write and after a failure
	size   int64
	failed time.Time // zero: the last write was well
}

// write appends whole lines. A failure costs these lines and those of the next seconds, never more.
func (f *file) write(lines []byte) error {
	if !f.failed.IsZero() && time.Since(f.failed) < retryAfter {
		return nil // it was told
	}
	err := f.append(lines)
	if err == nil {
		f.failed = time.Time{}
		return nil
	}
	f.failed = time.Now()
	if f.f != nil {
		_ = f.f.Truncate(f.size) // of half a line; where even that fails, tail leaves the line out
		_ = f.f.Close()
		f.f = nil
	}
	return err
}

func (f *file) append(lines []byte) error {
	if f.f == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	if f.size > 0 && f.size+int64(len(lines)) > f.max {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	if _, err := f.f.Write(lines); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	f.size += int64(len(lines))
	return nil
}

// open opens the newest file. A line that a dead predecessor has left torn is ended.
func (f *file) open() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("make folder of logs: %w", err)
	}
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	f.f = file
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	f.size = size
	last := []byte{'\n'}
	if size > 0 {
		if _, err := file.ReadAt(last, size-1); err != nil {
			return fmt.Errorf("open log: %w", err)
		}
	}
	if last[0] != '\n' {
		if _, err := file.WriteString("\n"); err != nil {
			return fmt.Errorf("write log: %w", err)
		}
		f.size++
	}
	return nil
}

func (f *file) rotate() error {
	err := f.f.Close()
	f.f = nil
	if err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	for n := f.keep - 1; n > 0; n-- {
		if err := os.Rename(f.name(n-1), f.name(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("rotate log: %w", err)
		}
	}
	if f.keep == 1 {
		if err := os.Remove(f.path); err != nil {
			return fmt.Errorf("rotate log: %w", err)
		}
	}
	return f.open()
}

func (f *file) name(n int) string {
	if n == 0 {
		return f.path
	}
	return f.path + "." + strconv.Itoa(n)
}

// tail returns the last whole lines, about so many bytes of them.
func (f *file) tail(bytes int64) ([]byte, error) {
	var all []byte
	for n := 0; n < f.keep && int64(len(all)) < bytes; n++ {
		part, err := tail(f.name(n), bytes-int64(len(all)))
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return all, fmt.Errorf("read log: %w", err)
		}
		all = append(part, all...)
	}
	return all, nil
}

func tail(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-most)
	text := make([]byte, info.Size()-from)
	if _, err := file.ReadAt(text, from); err != nil && err != io.EOF {
		return nil, err
	}
	if from > 0 { // it begins in the middle of a line, as good as always
		text = text[bytes.IndexByte(text, '\n')+1:]
	}
	return text[:bytes.LastIndexByte(text, '\n')+1], nil
}

func (f *file) close() error {
	if f.f == nil {
		return nil
	}
	err := errors.Join(f.f.Sync(), f.f.Close())
	f.f = nil
	return err
}
