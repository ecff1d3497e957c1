package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The models of the stack with profile control, whose servers are containers that the supervisor starts and stops.
const (
	duo  = "duo"  // two, duo-a and duo-b; a token every 50 ms
	solo = "solo" // one, which the engine would restart too
	tiny = "tiny" // one that is not created at first, and then has not enough memory
)

// control is that stack.
type control struct {
	*stack
	mock      string // image
	supervise string // container of the supervisor
	proxy     string // and of the one through which it reaches the engine
}

// TestControl shares one stack, and with it the order: the last scenarios take away what the others need.
func TestControl(t *testing.T) {
	t.Parallel()
	c := startControl(t)
	for _, sc := range []struct {
		name string
		run  func(*testing.T, *control)
	}{
		{"the stack is locked up", controlLockedUp},
		{"a container is stopped and started", containerStopped},
		{"a container that is killed comes back", containerKilled},
		{"a container that crashes is restarted by one hand", containerCrashes},
		{"a container without memory says so", containerOutOfMemory},
		{"the supervisor ends under load", supervisorGone},
		{"a model of two containers is restarted under load", containersRolled},
		{"the proxy is killed under load", proxyKilled},
		{"Docker's own client cannot get out of the proxy", proxyEscape},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, c) })
	}
}

func startControl(t *testing.T) *control {
	env := composeImages(t)
	env["DOCKER_GID"] = groupOf(t, "/var/run/docker.sock")
	file, project := composeUp(t, "control", "testdata/control.override.yaml", env)
	s := &stack{gateway: address(t, file, "gateway", 8099), supervisor: address(t, file, "supervisor", 8098), project: project}
	c := &control{
		stack:     s,
		mock:      env["FLUIDMCP_MOCKVLLM_IMAGE"],
		supervise: container(t, file, "supervisor").GetContainerID(),
		proxy:     container(t, file, "dockerproxy").GetContainerID(),
	}
	for _, model := range []string{duo, solo} {
		c.waitPhase(t, model, "ready")
		eventually(t, func() error { return c.ask(t, model) })
	}
	return c
}

func groupOf(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Gid))
}

// containerRun is one run of a container, as the engine tells.
type containerRun struct {
	ID    string `json:"Id"`
	State struct {
		Running   bool
		StartedAt time.Time
	}
	RestartCount int
}

func (c *control) inspect(t *testing.T, service string) containerRun {
	t.Helper()
	var found []containerRun
	if err := json.Unmarshal([]byte(docker(t, "inspect", c.project+"-"+service)), &found); err != nil {
		t.Fatal(err)
	}
	return found[0]
}

// controlLockedUp looks that nobody but the proxy has the engine's socket, and nobody but the supervisor a way to the proxy.
func controlLockedUp(t *testing.T, c *control) {
	lockedUp(t, c.stack, 7)
	var all []struct {
		ID         string `json:"Id"`
		HostConfig struct{ NetworkMode string }
		Mounts     []struct{ Destination, Name string }
	}
	ids := docker(t, "ps", "-q", "--no-trunc", "--filter", "label=com.docker.compose.project="+c.project)
	if err := json.Unmarshal([]byte(docker(t, append([]string{"inspect"}, strings.Fields(ids)...)...)), &all); err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		isProxy := one.ID == c.proxy
		if (one.HostConfig.NetworkMode == "none") != isProxy {
			t.Errorf("%s is in the network %s", one.ID, one.HostConfig.NetworkMode)
		}
		for _, m := range one.Mounts {
			if strings.Contains(m.Destination, "docker.sock") && !isProxy || strings.HasSuffix(m.Name, "_control") && !isProxy && one.ID != c.supervise {
				t.Errorf("%s has %s", one.ID, m.Destination)
			}
		}
	}
}

func containerStopped(t *testing.T, c *control) {
	before := c.inspect(t, solo)
	c.command(t, solo, "stop").want(t, http.StatusAccepted)
	c.waitPhase(t, solo, "stopped")
	if c.inspect(t, solo).State.Running {
		t.Error("the container of a stopped model runs")
	}
	do(t, "POST", c.gateway+"/llm/solo/chat/completions", hello).wantFailure(t, http.StatusServiceUnavailable, "model_stopped")
	c.command(t, solo, "start").want(t, http.StatusAccepted)
	eventually(t, func() error { return c.ask(t, solo) })
	if now := c.inspect(t, solo); now.ID != before.ID || !now.State.StartedAt.After(before.State.StartedAt) {
		t.Errorf("before %+v, now %+v", before, now)
	}
	c.logTells(t, solo, 2)
}

// logTells waits until the log of a model tells of so many starts. The engine hands its lines on a moment after they were printed.
func (c *control) logTells(t *testing.T, model string, starts int) {
	t.Helper()
	eventually(t, func() error {
		logs := do(t, "GET", c.gateway+"/api/llm/models/"+model+"/logs?lines=10000", nil).want(t, http.StatusOK)
		if n := strings.Count(string(logs.body), "Application startup complete."); n != starts {
			return fmt.Errorf("the log tells of %d starts, want %d: %s", n, starts, logs.body)
		}
		return nil
	})
}

func containerKilled(t *testing.T, c *control) {
	before := c.status(t, solo)
	docker(t, "kill", "--signal", "KILL", c.project+"-solo")
	c.comesBack(t, before)
}

// containerCrashes has the server exit by itself, which is what the engine's restart policy is for.
func containerCrashes(t *testing.T, c *control) {
	before := c.status(t, solo)
	began := c.inspect(t, solo).State.StartedAt
	crash(t, c.gateway+"/llm/solo/chat/completions")
	c.comesBack(t, before)
	if now := c.inspect(t, solo); now.RestartCount != 0 || !now.State.StartedAt.After(began) {
		t.Errorf("the engine has restarted it: %+v", now)
	}
}

// crash has the mock that answers end its process.
func crash(t *testing.T, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"messages": [{"role": "user", "content": "a b c d"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Mock-Fault", "crash=1")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < http.StatusInternalServerError {
		t.Errorf("a crash is answered with %d", resp.StatusCode)
	}
}

// comesBack waits until the model has been started anew, once, and answers.
func (c *control) comesBack(t *testing.T, before modelStatus) {
	t.Helper()
	eventually(t, func() error {
		if now := c.status(t, before.ID); now.Phase != "ready" || now.Restarts != before.Restarts+1 {
			return fmt.Errorf("before %+v, now %+v", before, now)
		}
		return c.ask(t, before.ID)
	})
}

// containerOutOfMemory begins without the container, which has not enough memory once it is there.
func containerOutOfMemory(t *testing.T, c *control) {
	c.waitPhase(t, tiny, "pending")
	docker(t, "create", "--name", c.project+"-tiny", "--label", "com.fluidmcp.model=tiny", "--label", "com.docker.compose.project="+c.project,
		"--network", c.project+"_default", "--memory", "6m", c.mock)
	defer func() { docker(t, "rm", "-f", c.project+"-tiny") }()
	eventually(t, func() error {
		var now struct{ Phase, Reason, Message string }
		do(t, "GET", c.gateway+"/api/llm/models/"+tiny, nil).want(t, http.StatusOK).decode(t, &now)
		if now.Phase == "failed" && now.Reason == "HostOOMKilled" {
			return nil
		}
		if now.Phase == "failed" { // an engine may hear of the end before it hears of the memory, and then never tells
			c.command(t, tiny, "start").want(t, http.StatusAccepted)
		}
		return fmt.Errorf("%+v", now)
	})
}

// containersRolled restarts both servers of a model while a hundred clients stream.
func containersRolled(t *testing.T, c *control) {
	fluidmcp(t) // compiled before anybody streams
	before, began := c.status(t, duo), []containerRun{c.inspect(t, "duo-a"), c.inspect(t, "duo-b")}
	counted := c.scrape(t, c.gateway)
	u := arrive(t, c.stack, duo, crowd, true)
	c.restarted(t, duo, "duo: 2 of 2 restarted")
	t.Logf("%d streams, all whole", u.goHome(t))
	c.scrape(t, c.gateway).grew(t, counted, 0, "fluidmcp_errors_total", "model", duo)
	after := c.status(t, duo)
	for i, service := range []string{"duo-a", "duo-b"} {
		now := c.inspect(t, service)
		if now.ID != began[i].ID || !now.State.StartedAt.After(began[i].State.StartedAt) || after.Instances[i].Restarts != before.Instances[i].Restarts+1 {
			t.Errorf("%s was not restarted once: before %+v, now %+v", service, began[i], now)
		}
	}
	c.command(t, solo, "restart").wantFailure(t, http.StatusConflict, "would_interrupt")
}

// supervisorGone ends the supervisor under load in both ways. Its successor goes on with the containers, and nobody who streams sees anything.
func supervisorGone(t *testing.T, c *control) {
	for how, end := range map[string]func(){
		"killed":    func() { docker(t, "kill", "--signal", "KILL", c.supervise); docker(t, "start", c.supervise) },
		"restarted": func() { docker(t, "restart", c.supervise) },
	} {
		t.Run(how, func(t *testing.T) {
			before := []containerRun{c.inspect(t, "duo-a"), c.inspect(t, "duo-b")}
			u := arrive(t, c.stack, duo, 20, true)
			end()
			c.supervisor = "http://" + strings.Fields(docker(t, "port", c.supervise, "8098/tcp"))[0] // a new port
			eventually(t, c.adopted)
			t.Logf("%d streams, all whole", u.goHome(t))
			for i, service := range []string{"duo-a", "duo-b"} {
				if now := c.inspect(t, service); now.ID != before[i].ID || !now.State.StartedAt.Equal(before[i].State.StartedAt) {
					t.Errorf("%s was not gone on with: before %+v, now %+v", service, before[i], now)
				}
			}
			c.logTells(t, duo, 2) // that of each server
		})
	}
}

// adopted asks the gateway, which follows the new supervisor by then.
func (c *control) adopted() error {
	a, err := client.Get(c.gateway + "/api/llm/models/" + duo)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	now, err := read(a)
	if err != nil || now.status != http.StatusOK || strings.Count(string(now.body), `"phase":"ready","reason":"Adopted"`) != 3 {
		return fmt.Errorf("%v %d %s", err, now.status, now.body)
	}
	return nil
}

// proxyKilled shows that nothing of the traffic needs it, and that what was wanted meanwhile is done when it is back.
func proxyKilled(t *testing.T, c *control) {
	u := arrive(t, c.stack, duo, 10, true)
	docker(t, "kill", "--signal", "KILL", c.proxy)
	c.command(t, solo, "stop").want(t, http.StatusAccepted)
	c.waitPhase(t, solo, "stopping")
	if !c.inspect(t, solo).State.Running {
		t.Error("it was stopped without the proxy")
	}
	docker(t, "start", c.proxy)
	c.waitPhase(t, solo, "stopped")
	u.goHome(t)
	if now := c.status(t, duo); now.Phase != "ready" {
		t.Errorf("%+v", now)
	}
	c.command(t, solo, "start").want(t, http.StatusAccepted)
	eventually(t, func() error { return c.ask(t, solo) })
}
