package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/golden"
)

const script = "tools/conformance/serve.sh"

// real compares a real server of each profile, one after the other: they share the machine's memory.
func (o options) real(ctx context.Context, cache string, names []string) error {
	common, profiles, err := golden.ReadProfiles(filepath.Join(o.dir, "servers.json"))
	if err != nil {
		return err
	}
	if len(names) == 0 {
		for _, p := range profiles {
			names = append(names, p.Name)
		}
	}
	var all error
	for _, name := range names {
		i := slices.IndexFunc(profiles, func(p golden.Profile) bool { return p.Name == name })
		if i < 0 {
			return fmt.Errorf("servers.json has no profile %q", name)
		}
		err := o.realProfile(ctx, cache, slices.Concat(common, profiles[i].Flags), profiles[i])
		if err != nil && !errors.Is(err, errDiffers) {
			return fmt.Errorf("profile %s: %w", name, err)
		}
		all = errors.Join(all, err)
	}
	return all
}

func (o options) realProfile(ctx context.Context, cache string, args []string, p golden.Profile) error {
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	args = slices.Concat([]string{cache}, args, []string{"--host", "127.0.0.1", "--port", port})
	ctx, stop := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, script, args...)
	cmd.Env = os.Environ()
	for _, name := range slices.Sorted(maps.Keys(p.Env)) {
		cmd.Env = append(cmd.Env, name+"="+p.Env[name])
	}
	cmd.Stdout, cmd.Stderr = o.log, o.log
	// vLLM is several processes. They are ended together, politely at first.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		stop()
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // why it ended is in its log
		close(exited)
	}()
	defer func() {
		stop()
		<-exited
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // who outlived the first of them
	}()
	server := "http://127.0.0.1:" + port
	if err := waitHealthy(ctx, server, exited); err != nil {
		return err
	}
	return o.compare(ctx, server, p.Name)
}

func freePort(ctx context.Context) (string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port), nil
}

// waitHealthy returns when the server is ready, or with an error when it has ended before.
func waitHealthy(ctx context.Context, server string, exited <-chan struct{}) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/health", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-exited:
			return errors.New("vLLM ended before it was ready, see its log above")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
