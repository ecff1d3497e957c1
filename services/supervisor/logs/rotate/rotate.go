package rotate

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

// File is a growing text in files of a bounded size: Path is the newest, Path.1 the one before it and so on. A program of its own for
// this, lumberjack, would leave a goroutine behind each file that was closed (natefinch/lumberjack#205).
//
// It is not safe for concurrent use, but for Tail, which reads what is on disk.
type File struct {
	Path string
	Max  int64 // bytes of one file
	Keep int   // files

	f      *os.File // nil until the first write and after a failure
	size   int64
	failed time.Time // zero: the last write was well
}

// Write appends whole lines. A failure costs these lines and those of the next seconds, never more.
func (f *File) Write(lines []byte) error {
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
		_ = f.f.Truncate(f.size) // of half a line; where even that fails, Tail leaves the line out
		_ = f.f.Close()
		f.f = nil
	}
	return err
}

// Failing tells whether the last write failed.
func (f *File) Failing() bool { return !f.failed.IsZero() }

func (f *File) append(lines []byte) error {
	if f.f == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	if f.size > 0 && f.size+int64(len(lines)) > f.Max {
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
func (f *File) open() error {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return fmt.Errorf("make folder of logs: %w", err)
	}
	file, err := os.OpenFile(f.Path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
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

func (f *File) rotate() error {
	err := f.f.Close()
	f.f = nil
	if err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	for n := f.Keep - 1; n > 0; n-- {
		if err := os.Rename(f.name(n-1), f.name(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("rotate log: %w", err)
		}
	}
	if f.Keep == 1 {
		if err := os.Remove(f.Path); err != nil {
			return fmt.Errorf("rotate log: %w", err)
		}
	}
	return f.open()
}

func (f *File) name(n int) string {
	if n == 0 {
		return f.Path
	}
	return f.Path + "." + strconv.Itoa(n)
}

// Tail returns the last whole lines, about so many bytes of them.
func (f *File) Tail(bytes int64) ([]byte, error) {
	var all []byte
	for n := 0; n < f.Keep && int64(len(all)) < bytes; n++ {
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

// Close closes the file. Another write opens it again.
func (f *File) Close() error {
	if f.f == nil {
		return nil
	}
	err := errors.Join(f.f.Sync(), f.f.Close())
	f.f = nil
	return err
}
