package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/integration/guide"
)

// withDocker lets a guide use the engine: with images built here instead of pulled ones, as a project of its own, at free
// ports of the machine which the guide reaches at the usual ones.
func withDocker(t *testing.T, r *guide.Runner) {
	t.Helper()
	project := fmt.Sprintf("fluidmcp-guide-%d", os.Getpid())
	override, err := filepath.Abs("testdata/guide.override.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r.Env = append(r.Env, "COMPOSE_PROJECT_NAME="+project, "COMPOSE_FILE=compose.yaml:"+override, "DOCKER_CONFIG="+dockerConfig(t),
		"TESTCONTAINERS_RYUK_DISABLED=true", "TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1")
	for name, image := range composeImages(t) {
		r.Env = append(r.Env, name+"="+image)
	}
	r.Needs["docker"] = nil
	if r.Network != nil {
		forward(t, r)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		down := exec.CommandContext(ctx, "docker", "compose", "down", "--volumes", "--remove-orphans", "--timeout", "5")
		down.Dir, down.Env = r.Dir, r.Env
		if out, err := down.CombinedOutput(); err != nil {
			t.Errorf("docker compose down: %v\n%s", err, out)
		}
	})
}

// forward chooses the machine's ports and makes the guide's lead there as long as its blocks are for Docker.
func forward(t *testing.T, r *guide.Runner) {
	ports := freePorts(t, 2)
	r.Env = append(r.Env, "FLUIDMCP_GATEWAY_PORT="+strconv.Itoa(ports[0]), "PROMETHEUS_PORT="+strconv.Itoa(ports[1]))
	r.Needs["docker"] = func() (func(), error) {
		stopGateway, err := r.Network.Forward(8099, fmt.Sprintf("127.0.0.1:%d", ports[0]))
		if err != nil {
			return nil, err
		}
		stopPrometheus, err := r.Network.Forward(9090, fmt.Sprintf("127.0.0.1:%d", ports[1]))
		if err != nil {
			stopGateway()
			return nil, err
		}
		return func() { stopGateway(); stopPrometheus() }, nil
	}
}

// dockerConfig is a folder for the docker command that has the compose plugin, and what the user's has.
func dockerConfig(t *testing.T) string {
	t.Helper()
	plugin, err := exec.CommandContext(t.Context(), "../scripts/tools.sh", "compose").Output()
	if err != nil {
		t.Fatalf("scripts/tools.sh compose: %v", err)
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "cli-plugins"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(strings.TrimSpace(string(plugin)), filepath.Join(folder, "cli-plugins", "docker-compose")); err != nil {
		t.Fatal(err)
	}
	return folder
}
