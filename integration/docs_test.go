package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/integration/guide"
)

// TestGuides does what the guides say, word by word. See the package guide for the marks in them.
func TestGuides(t *testing.T) {
	t.Parallel()
	documents, err := filepath.Glob("../docs/*.md")
	if err != nil || len(documents) == 0 {
		t.Fatalf("list the guides: %v, found %d", err, len(documents))
	}
	for _, path := range append([]string{"../README.md"}, documents...) {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimPrefix(path, "../"), func(t *testing.T) {
			blocks, err := guide.Parse(source)
			if err != nil {
				t.Fatal(err)
			}
			if len(blocks) == 0 {
				return
			}
			lintWorkflows(t, blocks)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			if err := reader(t, blocks).Run(ctx, blocks); err != nil {
				t.Error(err)
			}
		})
	}
}

// lintWorkflows checks what a guide has the reader save for GitHub.
func lintWorkflows(t *testing.T, blocks []guide.Block) {
	t.Helper()
	for _, b := range blocks {
		if !strings.HasPrefix(b.File, ".github/workflows/") {
			continue
		}
		actionlint, err := exec.CommandContext(t.Context(), "../scripts/tools.sh", "actionlint").Output()
		if err != nil {
			t.Fatalf("scripts/tools.sh actionlint: %v", err)
		}
		cmd := exec.CommandContext(t.Context(), strings.TrimSpace(string(actionlint)), "-")
		cmd.Stdin = strings.NewReader(b.Text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("line %d: actionlint: %v\n%s", b.Line, err, out)
		}
	}
}

// reader prepares a machine for somebody who follows a guide.
func reader(t *testing.T, blocks []guide.Block) *guide.Runner {
	t.Helper()
	origin, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	clone := filepath.Join(home, "fluidmcp")
	if out, err := exec.CommandContext(t.Context(), "git", "clone", "-q", origin, clone).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	r := &guide.Runner{Dir: clone, Work: t.TempDir(), Network: network(t), Env: environment(t, home, origin), Log: t.Logf,
		Needs: map[string]guide.Prepare{"internet": nil}}
	if _, err := exec.LookPath("node"); err == nil {
		r.Needs["node"] = nil
	}
	if _, err := exec.LookPath("python3"); err == nil {
		r.Needs["python"] = nil
	}
	needs := func(what string) bool {
		return slices.ContainsFunc(blocks, func(b guide.Block) bool { return slices.Contains(b.Needs, what) })
	}
	for what, demand := range map[string]string{"docker": "FLUIDMCP_REQUIRE_DOCKER", "python": "FLUIDMCP_REQUIRE_PYTHON", "node": "FLUIDMCP_REQUIRE_NODE"} {
		if what == "docker" && needs(what) && exec.CommandContext(t.Context(), "docker", "version").Run() == nil {
			withDocker(t, r)
		}
		if _, there := r.Needs[what]; needs(what) && !there && os.Getenv(demand) == "1" {
			t.Fatalf("no %s (and %s=1 asks for it)", what, demand)
		}
	}
	return r
}

// network gives the guide a loopback of its own. Without the rights for that it has to do with the machine's.
func network(t *testing.T) *guide.Network {
	t.Helper()
	own, err := guide.NewNetwork()
	if err == nil {
		t.Cleanup(func() { _ = own.Close() })
		return own
	}
	takeExamplePorts(t)
	for _, port := range []int{8001, 8002, 8098, 8099} {
		ln, listenErr := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if listenErr != nil {
			t.Fatalf("the guides use port %d: %v; root could give them a network of their own: %v", port, listenErr, err)
		}
		ln.Close()
	}
	t.Logf("the guide uses this machine's ports: %v", err)
	return nil
}

// environment is what a developer's terminal has, without settings of FluidMCP.
func environment(t *testing.T, home, origin string) []string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(home, ".curlrc"), []byte("no-progress-meter\n"), 0o600); err != nil { // nor does it show on a terminal
		t.Fatal(err)
	}
	var env []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		ours := slices.ContainsFunc([]string{"FLUIDMCP_", "GATEWAY_", "SUPERVISOR_", "MOCKVLLM_", "COMPOSE_", "VLLM_", "MODEL_NAME", "GO_IMAGE"},
			func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if !ours {
			env = append(env, variable)
		}
	}
	bin := filepath.Join(home, "go", "bin")
	return append(env,
		"PATH="+bin+":"+os.Getenv("PATH"), "GOBIN="+bin,
		"GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath", // so that what another folder compiled is found again
		"CURL_HOME="+home, "NO_COLOR=1",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url."+origin+".insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/fluidmcp/fluidmcp",
	)
}

// repository is a repository whose only commit is the working tree, with what is not committed yet.
var repository = sync.OnceValues(func() (string, error) {
	origin := filepath.Join(buildDir, "origin")
	list := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = ".."
	names, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("git ls-files: %w; the guides are tried in a clone of the repository", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if err := copyFile(filepath.Join("..", name), filepath.Join(origin, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "--all"},
		{"-c", "user.name=guide", "-c", "user.email=guide@example.com", "commit", "-q", "-m", "everything"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = origin
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("git %v: %w\n%s", args, err, out)
		}
	}
	return origin, nil
})

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm())
}
