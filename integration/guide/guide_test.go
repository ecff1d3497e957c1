package guide_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/integration/guide"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ticks writes guides in Go strings.
func ticks(s string) string { return strings.ReplaceAll(s, "~~~", "```") }

// follow runs a guide in an empty folder and returns what was logged.
func follow(t *testing.T, source string) (log string, err error) {
	t.Helper()
	blocks, err := guide.Parse([]byte(ticks(source)))
	if err != nil {
		return "", err
	}
	var said strings.Builder
	r := &guide.Runner{Dir: t.TempDir(), Work: t.TempDir(), Env: append(os.Environ(), "HERE=first"), Needs: map[string]guide.Prepare{"internet": nil},
		Log: func(format string, args ...any) { said.WriteString(format) }}
	err = r.Run(t.Context(), blocks)
	return said.String(), err
}

func TestGuidesThatWork(t *testing.T) {
	for name, source := range map[string]string{
		"nothing":   "# Only words",
		"a picture": "~~~\nbox ─► box\n~~~",
		"one shell for all": `
~~~sh
mkdir sub && cd sub
export HERE=there
word=kept
~~~
Words between.
~~~sh
echo "$HERE $word $(basename "$PWD")"
~~~
~~~text
there kept sub
~~~`,
		"what varies": `
~~~sh
echo "took $RANDOM ms"; seq 5; echo 'A      B'; echo 'trailing  '; echo 'after 12.5 s, 7ms, 1m5s'
~~~
~~~text
took ... ms
1
...
5
A  B
trailing
after 0.3 s, 20ms, 4s
~~~`,
		"a file in the reader's folder": `
~~~sh
mkdir deep && cd deep
~~~
~~~yaml file=conf/a.yaml
llmModels: {}
~~~
~~~sh
cat conf/a.yaml
~~~
~~~yaml output
llmModels: {}
~~~`,
		"a program in the background": `
~~~sh background
echo ready; trap 'exit 0' INT; while :; do sleep 0.1; [ ! -f more ] || echo "more $HERE"; done
~~~
~~~text
ready
~~~
~~~sh
export HERE=there
touch more
~~~
~~~text background
more first
~~~
~~~sh background
echo the next one in the same terminal; exec sleep 600
~~~
~~~text
the next...
~~~
~~~sh ctrl-c
true
~~~`,
		"a needed thing that is missing": "~~~sh needs=gpu\nexit 7\n~~~\n~~~text\nnever seen\n~~~",
		"the internet":                   "~~~sh\nexport HERE=there\n~~~\n~~~sh needs=internet\necho $HERE\n~~~\n~~~text\nthere\n~~~",
		"an indented block":              "1. First\n\n   ~~~sh\n   echo in a list\n   ~~~\n   ~~~text\n   in a list\n   ~~~\n",
	} {
		if _, err := follow(t, source); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBrokenGuidesFail(t *testing.T) {
	f := func(want, source string) {
		t.Helper()
		_, err := follow(t, source)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v, from\n%s", want, err, source)
		}
	}
	// as a document
	f(`line 2: a block of bash needs file=NAME or output`, "\n~~~bash\ntrue\n~~~")
	f(`"bakground" does not go with a block of sh`, "~~~sh bakground\ntrue\n~~~")
	f("needs=moon: known are", "~~~sh needs=moon\ntrue\n~~~")
	f(`"file=/etc/passwd" does not go`, "~~~json file=/etc/passwd\n{}\n~~~")
	f("a background block needs a text block", "~~~sh background\ntrue\n~~~\n~~~sh\ntrue\n~~~")
	f("an output without a command", "~~~text\nx\n~~~")
	// as commands
	f("false: exit code 1", "~~~sh\ntrue\n~~~\n~~~sh\nfalse\necho not reached\n~~~")
	f("line 2: a command failed", "~~~sh\nfalse | cat\n~~~")
	f("no-such-program", "~~~sh\nno-such-program\n~~~")
	f("exit status 3", "~~~sh needs=internet\nexit 3\n~~~")
	f("syntax error", "~~~sh needs=gpu\nif true; then\n~~~")
	// as what is shown
	f("but the output is\n    b", "~~~sh\necho b\n~~~\n~~~text\na\n~~~")
	f("but the output is", "~~~sh\necho a; echo b\n~~~\n~~~text\na\n~~~")
	f("but the output is\n    a...b", "~~~sh\necho a...b\n~~~\n~~~text\na...c\n~~~")
	f("but the terminal shows\n    other", "~~~sh background\necho other\n~~~\n~~~text\nready\n~~~")
	f("ended with exit status 4", "~~~sh background\ntrap '' INT; echo ready; exit 4\n~~~\n~~~text\nready\n~~~")
	f(`nothing runs in the terminal "first"`, "~~~sh\ntrue\n~~~\n~~~text background\nx\n~~~")
}

func TestWhatWasNotRunIsTold(t *testing.T) {
	log, err := follow(t, "~~~sh needs=gpu,docker\nexit 7\n~~~")
	if err != nil || !strings.Contains(log, "only the syntax is checked") {
		t.Errorf("logged %q, %v", log, err)
	}
}

// A guide has its ports to itself, and only those of the machine that are needed lead into it.
func TestNetwork(t *testing.T) {
	network, err := guide.NewNetwork()
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	defer network.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "from outside\n") }))
	defer server.Close()
	blocks, err := guide.Parse([]byte(ticks("~~~sh\n! curl -s " + server.URL + "\n~~~\n" +
		"~~~sh needs=docker\ncurl -s http://localhost:8099\n~~~\n~~~text\nfrom outside\n~~~\n" +
		"~~~sh\n! curl -s http://localhost:8099\n~~~\n")))
	if err != nil {
		t.Fatal(err)
	}
	r := &guide.Runner{Dir: t.TempDir(), Work: t.TempDir(), Env: os.Environ(), Network: network, Log: t.Logf, Needs: map[string]guide.Prepare{
		"docker": func() (func(), error) { return network.Forward(8099, strings.TrimPrefix(server.URL, "http://")) }}}
	if err := r.Run(t.Context(), blocks); err != nil {
		t.Error(err)
	}
}

func TestNothingIsLeft(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	_, err := follow(t, "~~~sh\nsleep 600 & echo $! >>"+pids+"\n~~~\n"+
		"~~~sh background\n(trap '' INT; echo $BASHPID >>"+pids+"; echo ready; sleep 600) & wait\n~~~\n~~~text\nready\n~~~\n~~~sh\nfalse\n~~~")
	if err == nil {
		t.Error("the guide did not fail")
	}
	left, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	patience := time.After(30 * time.Second)
	for _, pid := range strings.Fields(string(left)) {
		for alive(pid) { // what was killed takes a moment to be gone
			select {
			case <-patience:
				t.Fatalf("process %s is left", pid)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	if n := len(strings.Fields(string(left))); n != 2 {
		t.Errorf("%d processes were started, want 2", n)
	}
}

func alive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
