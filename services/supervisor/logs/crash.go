package logs

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
)

const (
	// crashLines is how many of its last lines are kept with the end of a server.
	crashLines = 200
	// crashLine is where these are cut, in bytes: vLLM prints configurations of several kilobytes.
	crashLine = 4 << 10
	// keptCrashes is how many ends of a stream are remembered.
	keptCrashes  = 5
	maxCrashFile = 1 << 20
)

// Crash is how a server ended that should not have, with the last that it printed.
type Crash struct {
	Instance string    `json:"instance"`
	At       time.Time `json:"at"`
	Code     int       `json:"code"`
	Signal   string    `json:"signal"`
	Reason   string    `json:"reason"`
	Message  string    `json:"message"`
	Lines    []string  `json:"lines"`
}

// Crashed remembers the end of the stream's present server, with Instance and Lines filled in. save writes it to the disk.
func (s *Stream) Crashed(c Crash) (save func()) {
	c.Instance, c.Lines = s.instance, s.Present(crashLines)
	for i, line := range c.Lines {
		if len(line) > crashLine {
			c.Lines[i] = valid([]byte(line[:crashLine])) + cut
		}
	}
	s.logs.mu.Lock()
	s.remember(c)
	s.logs.mu.Unlock()
	return func() { s.saveCrash(c) }
}

func (s *Stream) saveCrash(c Crash) {
	if s.crashFile == nil {
		return
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	text, err := json.Marshal(c)
	if err != nil {
		s.logs.tell(s.instance, err)
		return
	}
	s.save(s.crashFile, append(text, '\n'))
}

func (s *Stream) remember(c Crash) {
	s.crashes = append(s.crashes, c)
	s.crashes = slices.Clone(s.crashes[max(0, len(s.crashes)-keptCrashes):])
}

// Crashes returns the last ends, the oldest first.
func (s *Stream) Crashes() []Crash {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	return slices.Clone(s.crashes)
}

func (s *Stream) restoreCrashes() error {
	text, err := s.crashFile.Tail(2 * maxCrashFile)
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		var c Crash
		if json.Unmarshal(line, &c) == nil { // a torn line is none
			s.remember(c)
		}
	}
	return err
}
