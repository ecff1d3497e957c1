package integration

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/creack/pty"
)

// startMock runs a mock alone and returns its address.
func startMock(t *testing.T, flags ...string) string {
	t.Helper()
	return startMockOf(t, fluidmcp(t), flags...)
}

func startMockOf(t *testing.T, program string, flags ...string) string {
	t.Helper()
	port := freePorts(t, 1)[0]
	c := start(t, exec.Command(program, append([]string{"mockvllm", "serve", "mock-model", "--port", fmt.Sprint(port), "--disable-uvicorn-access-log"}, flags...)...))
	c.waitLine(t, "Application startup complete")
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

// A server that takes one request at a time and more time for each than the rate allows holds requests back. Their latencies from
// sending are as good as ever; those from the schedule grow with each.
func TestLoadtestShowsCoordinatedOmission(t *testing.T) {
	t.Parallel()
	const n, rate = 20, 1000
	_, r := loadtest(t, startMock(t, "--mock-ttft", "20ms"), "-n", fmt.Sprint(n), "--rate", fmt.Sprint(rate), "--arrivals", "constant",
		"-c", "1", "--output-tokens", "1")
	if r.Requests.OK != n {
		t.Fatalf("%+v", r.Requests)
	}
	// The last one was due after n/rate seconds and answered after all others, whatever the clock did.
	all, due := n*r.Latencies["e2e"].Mean, 1000.0*n/rate
	if scheduled := r.Latencies["e2e_scheduled"]; scheduled.Count != n || scheduled.Max < all*.999-due || scheduled.Max <= r.Latencies["e2e"].Max {
		t.Errorf("from the schedule at most %g ms, but %d requests one after another took %g ms and the last was due after %g ms", scheduled.Max, n, all, due)
	}
}

// When the time is over no more is sent, also of what is late. That is told: those requests would have been the slowest.
func TestLoadtestTellsWhatItDidNotSend(t *testing.T) {
	t.Parallel()
	mock := startMock(t, "--mock-ttft", "300ms")
	run := func() loadReport {
		_, r := loadtest(t, mock, "--duration", "1s", "--rate", "50", "--arrivals", "constant", "-c", "1", "--output-tokens", "1")
		return r
	}
	r := run()
	for range 10 {
		if r.Requests.Sent > 0 {
			break
		}
		r = run() // it had no processor for the whole second
	}
	if r.Requests.Sent+r.Requests.Unsent != 50 || r.Requests.Sent < 1 || r.Requests.Sent > 4 { // more do not fit into a second
		t.Errorf("%+v", r.Requests)
	}
	if len(r.Warnings) == 0 || !strings.Contains(strings.Join(r.Warnings, "\n"), "were due and not sent") {
		t.Errorf("%q", r.Warnings)
	}
}

func TestLoadtestEndsEarlyOnCtrlC(t *testing.T) {
	t.Parallel()
	mock := startMock(t, "--mock-ttft", "1h")
	s := &stack{}
	running := func(want float64) {
		t.Helper()
		eventually(t, func() error {
			if n := s.scrape(t, mock).sum("vllm:num_requests_running"); n != want {
				return fmt.Errorf("%v requests run, want %v", n, want)
			}
			return nil
		})
	}
	var c *command
	for range 5 { // a busy machine may bring the second signal too late to belong to the first, and then nothing is reported
		c = start(t, exec.Command(fluidmcp(t), "loadtest", "--url", mock, "-c", "5", "-n", "100"))
		running(5)
		_ = c.Process.Signal(syscall.SIGINT) // programs such as timeout signal a process and its group: that is one Ctrl-C
		c.end(t, syscall.SIGINT)
		running(0)
		if c.said() != "" {
			break
		}
	}
	text := c.said()
	if c.ProcessState.ExitCode() != 130 || !strings.Contains(text, "Ended early: 5 requests in flight were cut") || !strings.Contains(text, "0 ok") {
		t.Errorf("%v\n%s", c.ProcessState, text)
	}
}

// A machine without file descriptors is not a server that fails.
func TestLoadtestTellsItsOwnLimit(t *testing.T) {
	t.Parallel()
	mock := startMock(t, "--mock-ttft", "200ms")
	out, err := exec.CommandContext(t.Context(), "bash", "-c", `ulimit -n 40; exec "$@"`, "bash",
		fluidmcp(t), "loadtest", "--url", mock, "-c", "100", "-n", "100").CombinedOutput()
	for _, want := range []string{"client_limit", "may open 40 files, fewer than --concurrency needs; raise it with `ulimit -n 120`", "this machine ran out of ports or open files"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("no %q (%v):\n%s", want, err, out)
		}
	}
}

// At a terminal a person sees how far the run is; the line goes when the report comes.
func TestLoadtestShowsProgress(t *testing.T) {
	t.Parallel()
	mock := startMock(t, "--mock-ttft", "1s")
	cmd := exec.CommandContext(t.Context(), fluidmcp(t), "loadtest", "--url", mock, "-c", "2", "-n", "4", "--output-tokens", "1")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 25, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var shown bytes.Buffer
	_, _ = io.Copy(&shown, terminal) // a terminal whose program has ended gives EIO
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &shown)
	}
	text := shown.String()
	last := strings.LastIndex(text, "\r\x1b[K")
	if !strings.Contains(text, "/4 done, 2 in flight, 0 failed") || last < 0 || !strings.Contains(text[last:], "4 ok, 0 failed") || strings.Contains(text[last:], "in flight") {
		t.Errorf("the terminal shows %q", text)
	}
	if piped, err := exec.CommandContext(t.Context(), fluidmcp(t), "loadtest", "--url", mock, "-n", "1").CombinedOutput(); err != nil || bytes.ContainsAny(piped, "\r\x1b") {
		t.Errorf("without a terminal: %v, %q", err, piped)
	}
}

// The page is one file: it asks for nothing, and shows what the report says.
func TestLoadtestPageInBrowser(t *testing.T) {
	t.Parallel()
	mock := startMock(t, "--mock-ttft", "5ms", "--mock-itl", "1ms")
	do(t, "PUT", mock+"/mock/faults", `{"rules":[{"match":{"percent":10},"do":{"status":500,"message":"<Model & error>"}}]}`).want(t, 200)
	page := filepath.Join(t.TempDir(), "run.html")
	code, r := loadtest(t, mock, "-n", "400", "--rate", "400", "--html", page, "--fail-if", "ttft_p99 > 1us", "--fail-if", "errors > 1000")
	if code != 3 || r.Requests.OK != 360 {
		t.Fatalf("exit %d, %+v", code, r.Requests)
	}
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, foreign := range []string{"<script", "<link", "@import", "src=", "url("} {
		if bytes.Contains(content, []byte(foreign)) {
			t.Errorf("the page has a %s", foreign)
		}
	}
	b := openBrowser(t, &stack{})
	b.do("open the page", chromedp.Navigate("file://"+page))
	for selector, text := range map[string]string{"h1": "mock-model", ".tiles": "360 ok", ".failures td": "<Model & error>", "td.failed + td": "ttft_p99 > 1us",
		"td.passed + td": "errors > 1000", "figcaption": "Time to first token", "th": "p99.9"} {
		b.sees(selector, text)
	}
	const empty = `[...document.querySelectorAll("figure")].filter((f) => [...f.querySelectorAll("path")].every((p) => p.getTotalLength() < 10)).map((f) => f.innerText)`
	drawn, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](empty))
	if err != nil || len(drawn) != 0 {
		t.Errorf("charts without a line: %v, %v", drawn, err)
	}
	b.do("look at it on a phone", chromedp.EmulateViewport(400, 800))
	if overflow, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > 400`)); err != nil || overflow {
		t.Errorf("the page is wider than a phone: %v, %v", overflow, err)
	}
}
