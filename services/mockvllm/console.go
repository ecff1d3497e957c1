package mockvllm

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// console writes vLLM's own log lines, which people and programs read to learn how far a server is.
type console struct {
	mu  sync.Mutex
	out io.Writer
	pid int
}

func newConsole(out io.Writer) *console { return &console{out: out, pid: os.Getpid()} }

// line writes one line. That the log cannot be written is nothing that a log could tell.
func (c *console) line(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = fmt.Fprintf(c.out, format+"\n", args...)
}

// info writes a line as the API server's logger does, with the Python file that would say it.
func (c *console) info(where, format string, args ...any) {
	c.log("APIServer", "INFO", where, format, args...)
}

// log writes a line of one of vLLM's processes.
func (c *console) log(process, level, where, format string, args ...any) {
	c.line("(%s pid=%d) %s %s [%s] %s", process, c.pid, level, time.Now().Format("01-02 15:04:05"), where, fmt.Sprintf(format, args...))
}

// access writes uvicorn's line about one request.
func (c *console) access(r *http.Request, status int) {
	c.line(`INFO:     %s - "%s %s HTTP/%d.%d" %d %s`, r.RemoteAddr, r.Method, r.URL.RequestURI(),
		r.ProtoMajor, r.ProtoMinor, status, http.StatusText(status))
}
