package console

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

// Console writes vLLM's own log lines, which people and programs read to learn how far a server is.
type Console struct {
	mu   sync.Mutex
	out  io.Writer
	line []byte // memory for the next one
	PID  int    // of this process
}

// New makes one that writes to out.
func New(out io.Writer) *Console { return &Console{out: newWriter(out), PID: os.Getpid()} }

// Line writes one line.
func (c *Console) Line(format string, args ...any) { c.Write(fmt.Sprintf(format+"\n", args...)) }

// Write writes text as it is. That the log cannot be written is nothing that a log could tell.
func (c *Console) Write(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.WriteString(c.out, text)
}

// Info writes a line as the API server's logger does, with the Python file that would say it.
func (c *Console) Info(where, format string, args ...any) {
	c.Log("APIServer", "INFO", where, format, args...)
}

// Warn is Info for a warning.
func (c *Console) Warn(where, format string, args ...any) {
	c.Log("APIServer", "WARNING", where, format, args...)
}

// Log writes a line of one of vLLM's processes.
func (c *Console) Log(process, level, where, format string, args ...any) {
	c.Line("(%s pid=%d) %s %s [%s] %s", process, c.PID, level, time.Now().Format("01-02 15:04:05"), where, fmt.Sprintf(format, args...))
}

// mostLine bounds the memory that is kept for the next line, in bytes.
const mostLine = 4 << 10

// Access writes uvicorn's line about one request. There is one for each answer, so it is written with as little as can be.
func (c *Console) Access(r *http.Request, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := append(append(append(append(c.line[:0], "INFO:     "...), r.RemoteAddr...), ` - "`...), r.Method...)
	b = httptools.AppendQuoted(append(b, ' '), r.URL.Path, r.URL.RawQuery)
	b = strconv.AppendInt(append(b, " HTTP/"...), int64(r.ProtoMajor), 10)
	b = strconv.AppendInt(append(b, '.'), int64(r.ProtoMinor), 10)
	b = strconv.AppendInt(append(b, `" `...), int64(status), 10)
	b = append(append(append(b, ' '), http.StatusText(status)...), '\n')
	_, _ = c.out.Write(b)
	if c.line = b; cap(b) > mostLine {
		c.line = nil
	}
}
