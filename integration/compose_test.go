package integration

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/compose"
)

// services of the compose stack by the model that they serve. testdata/compose.override.yaml adds the last two.
var services = map[string]string{mockLLM: "mockvllm", mockGPT: "mock-gpt", mockLlama: "mock-llama"}

// startCompose brings up deploy/compose.yaml with testdata/compose.override.yaml on top.
func startCompose(t *testing.T) *stack {
	file, project := composeUp(t, "mock", "testdata/compose.override.yaml", composeImages(t))
	s := &stack{
		gateway:    address(t, file, "gateway", 8099),
		supervisor: address(t, file, "supervisor", 8098),
		prometheus: address(t, file, "prometheus", 9090),
		project:    project,
		mocks:      map[string]string{},
	}
	for model, service := range services {
		s.mocks[model] = address(t, file, service, 8000)
	}
	s.kill = func(t *testing.T, model string) {
		t.Helper()
		docker(t, "kill", "--signal", "KILL", container(t, file, services[model]).GetContainerID())
	}
	s.revive = func(t *testing.T, model string) {
		t.Helper()
		// A container that was killed by hand is not restarted by its policy.
		docker(t, "start", container(t, file, services[model]).GetContainerID())
		s.mocks[model] = address(t, file, services[model], 8000) // a published port is a new one
	}
	eventually(t, func() error { return s.allReady(t) })
	return s
}

// composeUp brings up a profile of deploy/compose.yaml with a file on top, as a project of its own, and takes it down with the test.
func composeUp(t *testing.T, profile, override string, env map[string]string) (file *compose.DockerCompose, project string) {
	t.Helper()
	project = fmt.Sprintf("fluidmcp-it-%s-%d", profile, os.Getpid())
	file, err := compose.NewDockerComposeWith(
		compose.StackIdentifier(project),
		compose.WithStackFiles("../deploy/compose.yaml", override),
		compose.WithProfiles(profile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			dumpContainers(t, file)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		if err := file.Down(ctx, compose.RemoveOrphans(true), compose.RemoveVolumes(true)); err != nil {
			t.Errorf("compose down: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if err := file.WithEnv(env).Up(ctx, compose.Wait(true)); err != nil {
		t.Fatalf("compose up: %v", err)
	}
	return file, project
}

// composeImages builds the images of the stack, and returns their names as the compose file reads them.
func composeImages(t *testing.T) map[string]string {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "docker", "version", "--format", "{{.Server.Version}}").CombinedOutput(); err != nil {
		missing(t, "FLUIDMCP_REQUIRE_DOCKER", "no Docker engine answers: "+strings.TrimSpace(string(out)))
	}
	names, err := images()
	if err != nil {
		t.Fatal(err)
	}
	return maps.Clone(names) // for what the caller has to add
}

// images builds them once for all tests.
var images = sync.OnceValues(func() (map[string]string, error) {
	cmd := exec.Command("../scripts/images.sh", "test")
	var progress strings.Builder
	cmd.Stderr = &progress
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("scripts/images.sh test: %w\n%s", err, progress.String())
	}
	names := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, image, _ := strings.Cut(strings.TrimSpace(line), "=")
		names[name] = image
	}
	return names, nil
})

func container(t *testing.T, file compose.ComposeStack, service string) *testcontainers.DockerContainer {
	t.Helper()
	c, err := file.ServiceContainer(t.Context(), service)
	if err != nil {
		t.Fatalf("service %s: %v", service, err)
	}
	return c
}

// address is the base URL of a port that the override publishes on the loopback.
func address(t *testing.T, file compose.ComposeStack, service string, port int) string {
	t.Helper()
	out := docker(t, "port", container(t, file, service).GetContainerID(), strconv.Itoa(port)+"/tcp")
	host, _, _ := strings.Cut(out, "\n")
	return "http://" + host
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// dumpContainers puts the state and the last log lines of a failed stack into the test's log.
func dumpContainers(t *testing.T, file *compose.DockerCompose) {
	for _, service := range file.Services() {
		c, err := file.ServiceContainer(context.Background(), service)
		if err != nil {
			t.Logf("%s: %v", service, err)
			continue
		}
		out, err := exec.Command("docker", "logs", "--tail", "200", c.GetContainerID()).CombinedOutput()
		t.Logf("---- %s %v\n%s", service, err, out)
	}
}
