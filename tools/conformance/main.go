// Command conformance compares servers with the recorded exchanges of a real vLLM, and records such exchanges.
//
//	compare.go  compare: one running server, vLLM or the mock
//	record.go   record: fill a file of requests with the answers of a running server
//	real.go     real: start a real vLLM on the CPU for each profile, and compare it
//
// It is opt-in: a real vLLM takes 6 GiB of disk and a minute to start. serve.sh installs and starts it; model/ is
// what it serves, but for the tokenizer, which is the mock's own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: conformance [--dir DIR] [--json] compare URL PROFILE
       conformance [--dir DIR] record URL PROFILE FILE...
       conformance [--dir DIR] [--json] real CACHE_DIR [PROFILE...]

compare  sends the exchanges of a profile to a running server; exit code 1 when an answer differs
record   asks a running server the cases of FILE (JSON lines) that have no answer yet; with --again all of them
real     installs and starts a real vLLM in CACHE_DIR for each profile in turn (without a name: all), and compares it
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errDiffers ends the program with exit code 1 and without further words.
var errDiffers = errors.New("answers differ")

// options are the flags of all commands.
type options struct {
	dir         string
	json, again bool
	out, log    io.Writer
}

// run returns the exit code: 1 for differences, 2 for a wrong command line, 3 when something could not be done.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o := options{out: stdout, log: stderr}
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		_, _ = io.WriteString(stderr, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.dir, "dir", "services/mockvllm/testdata/golden", "the recorded exchanges and servers.json")
	flags.BoolVar(&o.json, "json", false, "print JSON instead of a table")
	flags.BoolVar(&o.again, "again", false, "record also what has an answer")
	if flags.Parse(args) != nil {
		return 2
	}
	var err error
	switch rest := flags.Args(); {
	case len(rest) == 3 && rest[0] == "compare":
		err = o.compare(ctx, rest[1], rest[2])
	case len(rest) >= 4 && rest[0] == "record":
		err = o.record(ctx, rest[1], rest[2], rest[3:])
	case len(rest) >= 2 && rest[0] == "real":
		err = o.real(ctx, rest[1], rest[2:])
	default:
		flags.Usage()
		return 2
	}
	if err == nil {
		return 0
	}
	if errors.Is(err, errDiffers) {
		return 1
	}
	_, _ = fmt.Fprintln(stderr, "conformance:", err)
	return 3
}

// address returns host and port of a URL.
func address(server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return "", fmt.Errorf("%q is no URL such as http://127.0.0.1:8000", server)
	}
	return u.Host, nil
}
