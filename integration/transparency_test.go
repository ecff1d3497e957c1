package integration

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/golden"
)

// recorded are the exchanges with a real vLLM, and the flags of the servers that they were held with: of all, and of each profile.
func recorded(t *testing.T) (cases []golden.Case, common []string, profiles []golden.Profile) {
	t.Helper()
	const folder = "../services/mockvllm/testdata/golden"
	cases, err := golden.ReadAll(folder)
	if err != nil {
		t.Fatal(err)
	}
	common, profiles, err = golden.ReadProfiles(folder + "/servers.json")
	if err != nil {
		t.Fatal(err)
	}
	return cases, common, profiles
}

// TestTransparency sends every recorded request to a model server directly and through the gateway. The answers are the same but for
// the headers in added, and but for exactly the exchanges in differences. Each entry of both lists is needed.
func TestTransparency(t *testing.T) {
	t.Parallel()
	cases, common, profiles := recorded(t)
	seen := findings{counts: map[string]int{}}
	t.Run("profile", func(t *testing.T) {
		for _, p := range profiles {
			t.Run(p.Name, func(t *testing.T) {
				t.Parallel()
				to := startRoute(t, common, p)
				for _, c := range cases {
					if c.Server == p.Name {
						to.compare(t, c, &seen)
					}
				}
			})
		}
	})
	t.Logf("%d exchanges: %v", seen.compared, seen.counts)
	if seen.compared < len(cases) {
		return // only some profiles were asked for
	}
	for _, a := range added {
		if seen.counts[a.name] == 0 {
			t.Errorf("no answer got %s because %s", a.name, a.why)
		}
	}
	for _, d := range differences {
		if seen.counts[d.why] == 0 {
			t.Errorf("nothing differs because %s", d.why)
		}
	}
}

// TestTransparencyWithKey: a key changes nothing either. Every tenth exchange of the largest profile stands for all.
func TestTransparencyWithKey(t *testing.T) {
	t.Parallel()
	cases, common, profiles := recorded(t)
	keys := filepath.Join(t.TempDir(), "keys.yaml")
	secret, err := exec.CommandContext(t.Context(), fluidmcp(t), "keys", "new", "--scope", "inference,admin", "--file", keys).Output()
	if err != nil {
		t.Fatal(err)
	}
	to := startRoute(t, common, profiles[0], "--keys", keys)
	to.key = []golden.Header{{"Authorization", "Bearer " + strings.TrimSpace(string(secret))}}
	seen := findings{counts: map[string]int{}}
	for i, c := range cases {
		if c.Server == profiles[0].Name && i%10 == 0 {
			to.compare(t, c, &seen)
		}
	}
	t.Logf("%d exchanges: %v", seen.compared, seen.counts)
}

// findings count what was found, by header and by reason.
type findings struct {
	mu       sync.Mutex
	counts   map[string]int
	compared int
}

func (s *findings) add(what ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.compared++
	for _, w := range what {
		s.counts[w]++
	}
}

// route is a model server and a gateway that has it as its only model.
type route struct {
	direct, gateway string // host:port
	key             []golden.Header
}

func startRoute(t *testing.T, common []string, p golden.Profile, flags ...string) *route {
	t.Helper()
	ports := freePorts(t, 3)
	model := map[string]any{"command": "mockvllm",
		"args": slices.Concat([]string{"serve"}, common, p.Flags, []string{"--mock-answer", "random", "--port", fmt.Sprint(ports[0])})}
	if p.Env != nil {
		model["env"] = p.Env
	}
	if i := slices.Index(p.Flags, "--api-key"); i >= 0 {
		model["api_key"] = p.Flags[i+1]
	}
	c := launch(t, append([]string{"run", modelsFile(t, map[string]any{"tiny": model}), "--start-server",
		"--port", fmt.Sprint(ports[1]), "--supervisor-port", fmt.Sprint(ports[2])}, flags...)...)
	t.Cleanup(func() { c.end(t, syscall.SIGINT) })
	to := &route{direct: fmt.Sprintf("127.0.0.1:%d", ports[0]), gateway: fmt.Sprintf("127.0.0.1:%d", ports[1])}
	health := golden.Request{Method: "GET", Path: "/health", Headers: []golden.Header{{"Host", to.gateway}, {"Connection", "close"}}}
	eventually(t, func() error {
		ready, err := health.Send(t.Context(), to.gateway)
		if err == nil && !strings.Contains(ready.Body, `"ready":1`) {
			err = errors.New(ready.Body)
		}
		return err
	})
	return to
}

// compare plays a case on both ways.
func (to *route) compare(t *testing.T, c golden.Case, seen *findings) {
	t.Helper()
	x := exchange{Case: c}
	var err error
	if x.direct, err = c.Play(t.Context(), to.direct); err != nil {
		t.Errorf("%s, directly: %v", c.ID(), err)
		return
	}
	if x.gateway, err = to.authorized(c).Play(t.Context(), to.gateway); err != nil {
		t.Errorf("%s, through the gateway: %v", c.ID(), err)
		return
	}
	c.Answer = &x.direct
	diff := func(got golden.Answer) string { return c.Difference(got) }
	for _, d := range differences {
		if !d.where(x) {
			continue
		}
		seen.add(d.why)
		switch whole := diff(x.gateway); {
		case whole == "":
			t.Errorf("%s is the same, though it should differ because %s", c.ID(), d.why)
		case !d.as(x):
			t.Errorf("%s differs otherwise than because %s: %s\n%.500s", c.ID(), d.why, whole, x.gateway.Body)
		}
		return
	}
	got, names, fault := x.withoutAdded()
	seen.add(names...)
	if fault == "" {
		fault = diff(got)
	}
	if fault != "" {
		t.Errorf("%s (%s %s) differs: %s", c.ID(), c.Request.Method, c.Request.Path, fault)
	}
}

// authorized is the case with the gateway's key in place of what the client sent.
func (to *route) authorized(c golden.Case) golden.Case {
	if to.key == nil {
		return c
	}
	with := func(r golden.Request) golden.Request {
		r.Headers = append(slices.DeleteFunc(slices.Clone(r.Headers), func(h golden.Header) bool {
			return strings.EqualFold(h[0], "Authorization") || strings.EqualFold(h[0], "X-Api-Key")
		}), to.key...)
		return r
	}
	all := func(steps []golden.Request) (out []golden.Request) {
		for _, s := range steps {
			out = append(out, with(s))
		}
		return out
	}
	c.Before, c.Request, c.After = all(c.Before), with(c.Request), all(c.After)
	return c
}

// withoutAdded is the gateway's answer without the headers that it adds, their names, and which one is not as it should be.
func (x exchange) withoutAdded() (got golden.Answer, names []string, fault string) {
	got = x.gateway
	got.Headers = slices.Clone(got.Headers)
	for _, a := range added {
		if !a.where(x) || x.direct.Header(a.name) != "" {
			continue
		}
		before := len(got.Headers)
		got.Headers = slices.DeleteFunc(got.Headers, func(h golden.Header) bool { return strings.EqualFold(h[0], a.name) })
		if n := before - len(got.Headers); n != 1 {
			fault = fmt.Sprintf("%d times %s", n, a.name)
		}
		names = append(names, a.name)
	}
	return got, names, fault
}
