//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// answer is what the bare server says: as many bytes as the mock's.
const bareEnv, bareFrames = "MOCKVLLM_BENCH_BARE", 100

// TestMain lets the test binary be the bare server too.
func TestMain(m *testing.M) {
	if addr := os.Getenv(bareEnv); addr != "" {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(addr, http.HandlerFunc(bare)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var (
	plainAnswer = bytes.Repeat([]byte("x"), 800)
	streamFrame = []byte("data: " + strings.Repeat("x", 220) + "\n\n")
)

func bare(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if !bytes.Contains(body, []byte(`"stream":true`)) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(plainAnswer)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	rc := http.NewResponseController(w)
	for range bareFrames {
		_, _ = w.Write(streamFrame)
		_ = rc.Flush()
	}
}

// process is a server whose cost is measured.
type process struct {
	cmd  *exec.Cmd
	addr string
}

func start(b *testing.B, name string, env []string, args ...string) *process {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	p := &process{addr: ln.Addr().String()}
	_ = ln.Close()
	_, port, _ := net.SplitHostPort(p.addr)
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "PORT", port)
	}
	p.cmd = exec.Command(name, args...)
	p.cmd.Env = append(os.Environ(), env...)
	for i := range p.cmd.Env {
		p.cmd.Env[i] = strings.ReplaceAll(p.cmd.Env[i], "ADDR", p.addr)
	}
	p.cmd.Stdout, p.cmd.Stderr = io.Discard, os.Stderr // a pipe, as most logs go to
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	for range 1000 {
		c, err := net.Dial("tcp", p.addr)
		if err == nil {
			_ = c.Close()
			return p
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatalf("%s does not listen", name)
	return nil
}

const quiet = "--disable-uvicorn-access-log"

// mock builds and starts the mock, without uvicorn's access log.
func mock(b *testing.B, args ...string) *process {
	b.Helper()
	return logging(b, append(args, quiet)...)
}

// logging is mock with the access log.
func logging(b *testing.B, args ...string) *process {
	b.Helper()
	return start(b, build(b), nil, append(serve(), args...)...)
}

func build(b *testing.B) (bin string) {
	b.Helper()
	bin = filepath.Join(b.TempDir(), "mockvllm")
	if out, err := exec.Command("go", "build", "-o", bin, "../cmd/mockvllm").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// serve is the command line of every mock here.
func serve() []string {
	return []string{"serve", "bench", "--host", "127.0.0.1", "--port", "PORT", "--mock-answer", "random", "--max-num-seqs", "2000", "--max-model-len", "4096"}
}

// cpu is the processor time so far, in steps of 10 ms.
func (p *process) cpu(b *testing.B) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// rss is the resident memory in bytes.
func (p *process) rss(b *testing.B) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, _ := strconv.Atoi(strings.Fields(rest)[0])
	return kb << 10
}

func request(body string) []byte {
	return fmt.Appendf(nil, "POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// ask sends a request over a kept connection and returns how many chunks the answer had, 0 for a plain one.
func ask(c net.Conn, r *bufio.Reader, req []byte, chunk func()) (int, error) {
	if _, err := c.Write(req); err != nil {
		return 0, err
	}
	length, chunked := 0, false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) == 2 {
			break
		}
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		switch strings.ToLower(string(name)) {
		case "content-length":
			length, _ = strconv.Atoi(string(value))
		case "transfer-encoding":
			chunked = true
		}
	}
	if !chunked {
		_, err := r.Discard(length)
		return 0, err
	}
	for n := 0; ; n++ {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return n, err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return n, err
		}
		if _, err := r.Discard(int(size) + 2); err != nil || size == 0 {
			return n, err
		}
		if chunk != nil {
			chunk()
		}
	}
}

// load asks n times over four connections.
func load(b *testing.B, p *process, req []byte, n int) (chunks int) {
	b.Helper()
	const conns = 4
	var all sync.WaitGroup
	var mu sync.Mutex
	for i := range conns {
		all.Go(func() {
			c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			r := bufio.NewReaderSize(c, 1<<16)
			for j := i; j < n; j += conns {
				got, err := ask(c, r, req, nil)
				if err != nil {
					b.Error(err)
					return
				}
				mu.Lock()
				chunks += got
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return chunks
}

const question = `"messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"What is the capital of France, and how many people live there?"}]`

const plainBody = `{"model":"bench",` + question + `,"max_tokens":16,"temperature":0.7}`

// rounds is how often the two servers take turns, so that what else the machine does hits both alike.
const rounds = 10

// compare has both servers answer req n times a round and returns their processor time in µs for each answer, or for each
// chunk of answers that have any.
func compare(b *testing.B, m, bareServer *process, req []byte, n int) (mocked, bared float64) {
	b.Helper()
	measure := func(p *process) float64 {
		before := p.cpu(b)
		units := load(b, p, req, n)
		if units == 0 {
			units = n
		}
		return float64((p.cpu(b) - before).Nanoseconds()) / 1e3 / float64(units)
	}
	measure(m) // warm
	measure(bareServer)
	b.ResetTimer()
	for range rounds {
		mocked += measure(m) / rounds
		bared += measure(bareServer) / rounds
	}
	return mocked, bared
}

// BenchmarkPlain tells the processor time of one answer of 16 tokens.
func BenchmarkPlain(b *testing.B) { plain(b, mock(b)) }

// BenchmarkLogged is BenchmarkPlain with uvicorn's access log, as vLLM is started where nothing else is said.
func BenchmarkLogged(b *testing.B) { plain(b, logging(b)) }

func plain(b *testing.B, m *process) {
	b.Helper()
	req := request(plainBody)
	bareServer := start(b, os.Args[0], []string{bareEnv + "=ADDR"})
	mocked, bared := compare(b, m, bareServer, req, 3000)
	b.ReportMetric(mocked, "µs-cpu/answer")
	b.ReportMetric(bared, "µs-cpu/bare")
	b.ReportMetric(mocked/bared, "ratio")
}

// BenchmarkToken tells the processor time of one streamed token, over streams of 1,000 tokens as fast as they go.
func BenchmarkToken(b *testing.B) {
	req := request(`{"model":"bench",` + question + `,"max_tokens":1000,"stream":true}`)
	m, bareServer := mock(b), start(b, os.Args[0], []string{bareEnv + "=ADDR"})
	mocked, bared := compare(b, m, bareServer, req, 32)
	b.ReportMetric(mocked, "µs-cpu/token")
	b.ReportMetric(bared, "µs-cpu/bare-chunk")
	b.ReportMetric(mocked/bared, "ratio")
}
