package console

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

// Console writes vLLM's own log lines, which people and programs read to learn how far a server is.
type Console struct {
	mu  sync.Mutex
	out io.Writer
	PID int // of this process
}

// New makes one that writes to out.
func New(out io.Writer) *Console { return &Console{out: out, PID: os.Getpid()} }

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

// Log writes a line of one of vLLM's processes.
func (c *Console) Log(process, level, where, format string, args ...any) {
	c.Line("(%s pid=%d) %s %s [%s] %s", process, c.PID, level, time.Now().Format("01-02 15:04:05"), where, fmt.Sprintf(format, args...))
}

// Access writes uvicorn's line about one request.
func (c *Console) Access(r *http.Request, status int) {
	c.Line(`INFO:     %s - "%s %s HTTP/%d.%d" %d %s`, r.RemoteAddr, r.Method, httptools.Quote(r.URL.Path, r.URL.RawQuery),
		r.ProtoMajor, r.ProtoMinor, status, http.StatusText(status))
}
