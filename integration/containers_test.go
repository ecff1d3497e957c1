package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// containersLockedUp expects gateway, supervisor, three mocks and Prometheus.
func containersLockedUp(t *testing.T, s *stack) { lockedUp(t, s, 6) }

// lockedUp looks at the running containers, not at the file that describes them.
func lockedUp(t *testing.T, s *stack, want int) {
	t.Helper()
	ids := docker(t, "ps", "-q", "--filter", "label=com.docker.compose.project="+s.project)
	var containers []struct {
		Name   string
		Config struct {
			User   string
			Labels map[string]string
		}
		State struct {
			Health struct{ Status string }
		}
		HostConfig struct {
			ReadonlyRootfs bool
			CapDrop        []string
			SecurityOpt    []string
			Init           bool
			Privileged     bool
			PortBindings   map[string][]struct{ HostIP string }
		}
	}
	eventually(t, func() error { // one that was started a moment ago has not been checked yet
		inspected := docker(t, append([]string{"inspect"}, strings.Fields(ids)...)...)
		containers = nil
		if err := json.Unmarshal([]byte(inspected), &containers); err != nil {
			t.Fatal(err)
		}
		for _, c := range containers {
			if c.State.Health.Status != "healthy" {
				return fmt.Errorf("%s is %q to its health check", c.Name, c.State.Health.Status)
			}
		}
		return nil
	})
	if len(containers) != want {
		t.Errorf("%d containers, want %d", len(containers), want)
	}
	for _, c := range containers {
		h := c.HostConfig
		if c.Config.User == "" || strings.HasPrefix(c.Config.User, "0") || strings.HasPrefix(c.Config.User, "root") {
			t.Errorf("%s runs as %q", c.Name, c.Config.User)
		}
		if !h.ReadonlyRootfs || h.Privileged || !h.Init || !slices.Contains(h.CapDrop, "ALL") || !slices.Contains(h.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s is not locked up: %+v", c.Name, h)
		}
		for port, bindings := range h.PortBindings {
			for _, b := range bindings {
				if b.HostIP != "127.0.0.1" {
					t.Errorf("%s publishes %s on %q", c.Name, port, b.HostIP)
				}
			}
		}
	}
}
