package integration

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The programs of examples/clients are what users of the official SDKs read, so they are run as they are. Each prints the
// same lines, as its README shows them; the errors on them are of the class that the SDK has for it, or the program ends
// with another one.

const clients = "../examples/clients/"

func openaiPython(t *testing.T, s *stack) {
	runExample(t, s, badTemperature, "stream_interrupted", pythonWith(t, clients+"requirements.txt"), "-u", clients+"openai_python.py", s.gateway)
}

func anthropicPython(t *testing.T, s *stack) {
	runExample(t, s, "Cannot apply chat template to an empty conversation.", "stream_interrupted",
		pythonWith(t, clients+"requirements.txt"), "-u", clients+"anthropic_python.py", s.gateway)
}

func openaiJS(t *testing.T, s *stack) {
	node, script := nodeForExamples(t)
	runExample(t, s, badTemperature, "stream_interrupted", node, script, s.gateway)
}

// openaiGoBinary builds the example once for all ways of running.
var openaiGoBinary = sync.OnceValues(func() (string, error) { return build("./examples/clients/openai_go") })

func openaiGo(t *testing.T, s *stack) {
	runExample(t, s, badTemperature, `received error while streaming: {"message":`, built(t, openaiGoBinary), s.gateway)
}

const badTemperature = "temperature must be in [0, 2], got 9.0."

// runExample runs a program, kills the server of its slow stream when it says that this runs, and looks at its lines.
func runExample(t *testing.T, s *stack, badRequest, broken string, argv ...string) {
	t.Helper()
	s.faults(t, mockLlama, `{"rules":[{"do":{"rate_limit":{"requests":1,"window":"60s"}}}]}`)
	s.stalls(t, mockGPT) // so that it is not over before the kill
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		got = append(got, lines.Text())
		if strings.HasPrefix(lines.Text(), "slow stream: it runs") {
			s.kill(t, mockGPT)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %v", argv, err)
	}
	s.revive(t, mockGPT)
	eventually(t, func() error {
		if s.processes { // five crashes in ten minutes would be too many for the supervisor, unless somebody starts the model
			s.command(t, mockGPT, "start").want(t, http.StatusAccepted)
		}
		return s.ask(t, mockGPT)
	})

	want := []string{
		"chat: " + regexp.QuoteMeta(helloAnswer),
		`tokens: (15|24) read, 22 written`, // as the README says
		"stream: " + regexp.QuoteMeta(helloAnswer),
		`call: get_weather\(\{"city": "Paris"\}\)`,
		`answer: Mock response with the result: \{"city": ?"Paris", ?"sky": ?"clear"\}`,
		"unknown model: model_not_found",
		"bad request: " + regexp.QuoteMeta(badRequest) + ".*",
		`rate limit: wait \d+ s`,
		"slow stream: it runs, kill the server of mock-gpt to see it break",
		"slow stream: " + regexp.QuoteMeta(broken) + ".*",
	}
	if !slices.EqualFunc(got, want, func(line, pattern string) bool {
		return regexp.MustCompile("^" + pattern + "$").MatchString(line)
	}) {
		t.Errorf("%v printed\n%s\nwant\n%s", argv, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// pythonWith returns an interpreter that has the packages of a list, from a virtual environment below the user's cache that
// is made once for each state of the list.
func pythonWith(t *testing.T, requirements string) string {
	t.Helper()
	preparing.Lock()
	defer preparing.Unlock()
	venv, ready := prepared(t, "venv-"+contentHash(t, requirements))
	python := filepath.Join(venv, "bin", "python")
	if ready {
		return python
	}
	system, err := exec.LookPath("python3")
	if err != nil {
		missing(t, "FLUIDMCP_REQUIRE_PYTHON", "python3 is not installed")
	}
	prepare(t, "FLUIDMCP_REQUIRE_PYTHON", venv,
		[]string{system, "-m", "venv", "--clear", venv},
		[]string{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements})
	return python
}

// nodeForExamples returns node and the path of the JavaScript example beside its packages, which are kept as those of
// Python are.
func nodeForExamples(t *testing.T) (node, script string) {
	t.Helper()
	node, err := exec.LookPath("node")
	npm, npmErr := exec.LookPath("npm")
	if err != nil || npmErr != nil {
		missing(t, "FLUIDMCP_REQUIRE_NODE", "node and npm are not installed")
	}
	preparing.Lock()
	defer preparing.Unlock()
	packages, ready := prepared(t, "node-"+contentHash(t, clients+"package-lock.json"))
	if !ready {
		for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
			if err := copyFile(clients+name, filepath.Join(packages, name)); err != nil {
				t.Fatal(err)
			}
		}
		prepare(t, "FLUIDMCP_REQUIRE_NODE", packages, []string{npm, "ci", "--prefix", packages, "--no-audit", "--no-fund"})
	}
	dir := t.TempDir() // node looks for packages beside the script, and the repository is not written to
	if err := os.Symlink(filepath.Join(packages, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	script = filepath.Join(dir, "openai_js.mjs")
	if err := copyFile(clients+"openai_js.mjs", script); err != nil {
		t.Fatal(err)
	}
	return node, script
}

// preparing is held by who looks whether packages are there, and gets them.
var preparing sync.Mutex

// prepared is a directory below the user's cache, and whether prepare has filled it before.
func prepared(t *testing.T, name string) (dir string, ready bool) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(cache, "fluidmcp", name)
	_, err = os.Stat(filepath.Join(dir, "complete"))
	return dir, err == nil
}

// prepare runs commands that fill a directory.
func prepare(t *testing.T, demand, dir string, commands ...[]string) {
	t.Helper()
	for _, argv := range commands {
		if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
			missing(t, demand, strings.Join(argv, " ")+": "+err.Error()+"\n"+string(out))
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "complete"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}
