package supervisor_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
)

// TestMain makes this binary a model server or a guard when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "fakevllm":
			fakeVLLM(os.Args[2:])
			return
		case "guard":
			if err := process.RunGuard(os.Args[2:]); err != nil {
				panic(err)
			}
			return
		}
	}
	// Under the race detector a program sleeps a second before it exits, unless told not to; the children inherit this.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// fakeVLLM answers as much of vLLM as a supervisor sees. POST /die and /sick make it fail, /print has it print the body. A second start with the
// same --once folder and port fails.
func fakeVLLM(args []string) {
	flags := flag.NewFlagSet("fakevllm", flag.ExitOnError)
	name := flags.String("name", "fake", "served model name")
	port := flags.String("port", "", "")
	crash := flags.Bool("crash", false, "exit at once")
	once := flags.String("once", "", "folder for a mark of the first start")
	load := flags.Duration("load", 0, "time until it listens")
	until := flags.String("until", "", "file that has to be there before it listens")
	stuck := flags.Bool("stuck", false, "load for ever")
	if len(args) > 1 && args[0] == "serve" {
		args = args[2:] // the model is called fake in any case
	}
	_ = flags.Parse(args)
	fmt.Println("fake vLLM says hello")
	if *crash || *once != "" && os.Mkdir(filepath.Join(*once, *port), 0o700) != nil {
		os.Exit(3)
	}
	if *stuck {
		time.Sleep(time.Hour)
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		<-term
		os.Exit(0)
	}()
	time.Sleep(*load)
	for *until != "" {
		if _, err := os.Stat(*until); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	sick := false
	http.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		if sick {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"data": [{"id": %q}]}`, *name)
	})
	http.HandleFunc("GET /env", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, os.Getenv(r.URL.Query().Get("name")))
	})
	http.HandleFunc("POST /print", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(os.Stderr, r.Body)
	})
	http.HandleFunc("POST /sick", func(http.ResponseWriter, *http.Request) { sick = true })
	http.HandleFunc("POST /die", func(http.ResponseWriter, *http.Request) { os.Exit(0) })
	if err := http.ListenAndServe("127.0.0.1:"+*port, nil); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
