package store

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fluidmcp/fluidmcp/internal/atomicfile"
)

const (
	currentName = "events.jsonl"
	olderName   = "events.1.jsonl"
	// maxFile is the size at which the current file becomes the older one, which is thrown away. An event has about 250 bytes.
	maxFile = 4 << 20
	// maxLine is what a line may have at most, and maxNumber an event's number: the largest of which every reader of JSON is sure
	// (RFC 8259, 6). What is beyond is damage.
	maxLine   = 64 << 10
	maxNumber = 1<<53 - 1
)

// eventFile is the events on disk: a line of JSON each, in the current file and the one before it.
type eventFile struct {
	folder *Folder
	max    int64
	f      *os.File
	size   int64 // of what is whole and on disk
	torn   bool  // something may lie beyond that, the rest of a write that failed
}

// damage is what was found wrong in the files.
type damage struct {
	lines int   // that are no events, and were left out
	torn  int64 // bytes that were cut from the end
}

// openEvents reads all events that are there, in order, and makes the current file ready to be written to. A supervisor that was killed
// may have left a part of its last write, which nobody has been told of: it is cut off.
func openEvents(folder *Folder, max int64, each func(Event)) (*eventFile, damage, error) {
	var found damage
	var last uint64
	ordered := func(e Event) {
		if e.Number > last { // what is there twice was written again after a failure
			last = e.Number
			each(e)
		}
	}
	switch older, err := os.Open(folder.Path(olderName)); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, found, err
	default:
		_, lines, err := readEvents(older, ordered)
		if err = errors.Join(err, older.Close()); err != nil {
			return nil, found, err
		}
		found.lines = lines
	}
	l := &eventFile{folder: folder, max: max}
	if err := l.open(); err != nil {
		return nil, found, err
	}
	whole, lines, err := readEvents(l.f, ordered)
	end, seekErr := l.f.Seek(0, io.SeekEnd)
	if err = errors.Join(err, seekErr); err != nil {
		return nil, found, errors.Join(err, l.f.Close())
	}
	found.lines += lines
	found.torn = end - whole
	l.size, l.torn = whole, end > whole
	return l, found, nil
}

func (l *eventFile) open() error {
	path := l.folder.Path(currentName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := atomicfile.SyncFolder(filepath.Dir(path)); err != nil {
		return errors.Join(err, f.Close())
	}
	l.f = f
	return nil
}

// readEvents calls each for every event. It returns where the last one ends and how many lines before that are none.
func readEvents(from io.Reader, each func(Event)) (whole int64, damaged int, err error) {
	r := bufio.NewReaderSize(from, maxLine)
	var at int64
	doubtful, tooLong := 0, false // lines since the last event, and whether the present one began earlier
	for {
		line, err := r.ReadSlice('\n')
		at += int64(len(line))
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			tooLong = true
			continue
		case err == io.EOF:
			return whole, damaged, nil
		case err != nil:
			return whole, damaged, fmt.Errorf("read events: %w", err)
		}
		var e Event
		if tooLong || json.Unmarshal(line, &e) != nil || e.Number == 0 || e.Number > maxNumber {
			doubtful++
			tooLong = false
			continue
		}
		damaged += doubtful
		doubtful, whole = 0, at
		each(e)
	}
}

// append writes events and returns once they are on disk. After an error none of them counts as written, and the next call writes over
// what there is of them: after a failed fsync nobody knows what reached the disk (fsync(2), ERRORS).
func (l *eventFile) append(events []Event) error {
	var text []byte
	for _, e := range events {
		line, err := e.line()
		if err != nil {
			return fmt.Errorf("encode event %d: %w", e.Number, err)
		}
		text = append(text, line...)
	}
	if err := l.folder.Ours(); err != nil {
		return err
	}
	if !l.isCurrent() && !l.is(olderName) { // somebody has removed it
		if err := l.next(); err != nil {
			return fmt.Errorf("make the file of events anew: %w", err)
		}
	}
	if l.size > 0 && l.size+int64(len(text)) > l.max {
		if err := l.rotate(); err != nil {
			return fmt.Errorf("begin a new file of events: %w", err)
		}
	}
	if l.torn {
		if err := l.f.Truncate(l.size); err != nil {
			return err
		}
	}
	l.torn = true
	if _, err := l.f.WriteAt(text, l.size); err != nil {
		return err
	}
	if err := l.f.Sync(); err != nil {
		return err
	}
	l.size += int64(len(text))
	l.torn = false
	return nil
}

// rotate makes the current file the older one. At each moment every event is in one of the two, whatever fails: until there is a new
// file, the one that was current stays in use, under its new name.
func (l *eventFile) rotate() error {
	if l.isCurrent() { // otherwise an earlier attempt has come as far as this
		if err := os.Rename(l.folder.Path(currentName), l.folder.Path(olderName)); err != nil {
			return err
		}
	}
	return l.next()
}

// next goes on in an empty file of the current name.
func (l *eventFile) next() error {
	old := l.f
	if err := l.open(); err != nil {
		return err
	}
	l.size, l.torn = 0, false
	return old.Close()
}

func (l *eventFile) isCurrent() bool { return l.is(currentName) }

func (l *eventFile) is(name string) bool {
	named, err := os.Stat(l.folder.Path(name))
	if err != nil {
		return false
	}
	open, err := l.f.Stat()
	return err == nil && os.SameFile(named, open)
}
