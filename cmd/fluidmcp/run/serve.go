package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/run/progress"
	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/settings"
	"github.com/fluidmcp/fluidmcp/services/gateway"
	"github.com/fluidmcp/fluidmcp/services/supervisor"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
)

// program is what `fluidmcp run` has read and opened before it begins.
type program struct {
	*options
	log          *zap.Logger
	droppedLines func() uint64
	file         *manifest.File
	env          func(string) (string, bool)                  // looks up what ${NAME} in the file stands for
	prepare      func(*manifest.File) (*manifest.File, error) // nil: as it is
	ports        listeners
	told         *progress.Progress
	token        string // nobody else can steer the supervisor past the gateway
}

func (p *program) supervisorURL() string { return "http://" + p.ports.supervisor.Addr().String() }

// configs are those of the services, from the environment and the flags.
func (p *program) configs() (supervisor.Config, gateway.Config, error) {
	sup, gw := supervisor.Default(), gateway.Default()
	if err := errors.Join(settings.Read("supervisor", &sup), settings.Read("gateway", &gw)); err != nil {
		return sup, gw, err
	}
	if _, told := os.LookupEnv("SUPERVISOR_STATE_DIR"); !told {
		models := p.file.Path
		if p.mock { // what is done to mocks is not done to the models
			models += ".mock"
		}
		sup.StateDir = stateFolder(p.log, models)
	}
	sup.Token = p.token
	sup.AllowRemoteCommands = p.remoteCommands || sup.AllowRemoteCommands
	gw.Addr = p.ports.gateway.Addr().String()
	gw.KeysFile = cmp.Or(p.keys, gw.KeysFile)
	gw.AllowOpen = p.allowOpen || gw.AllowOpen
	gw.SupervisorURL, gw.SupervisorToken = p.supervisorURL(), p.token
	return sup, gw, nil
}

// serve makes supervisor and gateway, and runs them until ctx ends.
func (p *program) serve(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the path of this program, which mock models run: %w", err)
	}
	supervisorCfg, gatewayCfg, err := p.configs()
	if err != nil {
		return err
	}
	sup, err := supervisor.New(supervisorCfg, supervisor.Deps{
		Log:      p.log.Named("supervisor"),
		Models:   p.file,
		Env:      p.env,
		Prepare:  p.prepare,
		Told:     p.told.Changed,
		Commands: map[string][]string{"mockvllm": {self, "mockvllm"}},
		Guard:    []string{self, "guard"},
	})
	if err != nil {
		return err
	}
	gw, err := gateway.New(gatewayCfg, gateway.Deps{Log: p.log.Named("gateway"), DroppedLines: p.droppedLines})
	if err != nil {
		return err
	}
	scheme := "http"
	if gatewayCfg.TLSCertFile != "" {
		scheme = "https"
	}
	p.told.Hello(fmt.Sprintf("%s://localhost:%d", scheme, p.ports.gateway.Addr().(*net.TCPAddr).Port), gatewayCfg.KeysFile != "")
	err = p.together(ctx, sup, gw)
	p.told.Stopped(err)
	return err
}

// together runs both. The gateway goes first, so that requests in flight still find their models; then the supervisor ends the models.
func (p *program) together(ctx context.Context, sup *supervisor.Supervisor, gw *gateway.Gateway) error {
	models, endModels := context.WithCancel(context.WithoutCancel(ctx))
	defer endModels()
	watch, endWatch := context.WithCancel(context.WithoutCancel(ctx))
	defer endWatch()
	g, ctx := errgroup.WithContext(ctx)
	context.AfterFunc(ctx, p.told.Stopping)
	g.Go(func() error {
		defer endModels()
		return gw.Run(ctx, p.ports.gateway)
	})
	g.Go(func() error {
		defer endWatch()
		return sup.Run(models, p.ports.supervisor)
	})
	g.Go(func() error {
		return onHangup(ctx, func() { _ = sup.Reload() }) // which tells of its faults itself
	})
	g.Go(func() error {
		client := &fleet.Client{URL: p.supervisorURL(), Token: p.token}
		_ = client.Watch(watch, p.told.Show, func(error) {}) // ends with watch; the services report their own failures
		return nil
	})
	return g.Wait()
}
