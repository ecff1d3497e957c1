package supervisor

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fluidmcp/fluidmcp/services/supervisor/change"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
)

// Config is what an operator can set. The environment names a field SUPERVISOR_ADDR, SUPERVISOR_DRAIN_TIMEOUT and so on.
type Config struct {
	Addr          string        `split_words:"true"` // listen address
	Token         string        `split_words:"true"` // asked of gateways and people as bearer token; empty asks nobody
	LogLevel      string        `split_words:"true"` // debug, info, warn or error
	Models        string        `split_words:"true"` // path of the models file
	StateDir      string        `split_words:"true"` // folder for what survives a restart of the supervisor, which no other may use; empty keeps nothing on disk
	LogFileMB     int           `split_words:"true"` // MiB of one file of a model server's log, in StateDir
	LogFiles      int           `split_words:"true"` // of these, for each model server
	DockerSocket  string        `split_words:"true"` // path of the unix socket of a Docker engine, or of the proxy in front of one; asked only for models that are given by container
	DrainTimeout  time.Duration `split_words:"true"` // for requests in flight before a server is ended, unless its model says otherwise
	StartTimeout  time.Duration `split_words:"true"` // from a server's start to its being ready, unless its model says otherwise
	StallTimeout  time.Duration `split_words:"true"` // the same without any progress in the server's log
	MaxLoading    int           `split_words:"true"` // servers that may load at a time; 0: as many as there are processors
	ProbeStarting time.Duration `split_words:"true"` // between two probes of a server that starts
	ProbeInterval time.Duration `split_words:"true"` // between two probes of one that is ready; three failures in a row count

	WatchModels         bool `split_words:"true"` // the models file is applied whenever its text changes; else on SIGHUP and fluidmcp apply
	AllowRemoteCommands bool `split_words:"true"` // requests over HTTP may say which programs and servers to use
}

// Default returns the settings that need no thought.
func Default() Config {
	return Config{
		Addr:          "127.0.0.1:8098",
		LogLevel:      "info",
		LogFileMB:     10,
		LogFiles:      3,
		DockerSocket:  "/var/run/docker.sock",
		WatchModels:   true,
		DrainTimeout:  120 * time.Second,
		StartTimeout:  15 * time.Minute, // measured starts of vLLM take from half a minute to this
		StallTimeout:  5 * time.Minute,
		ProbeStarting: 250 * time.Millisecond,
		ProbeInterval: 5 * time.Second,
	}
}

// Validate reports every fault at once, by the names that the environment has for them.
func (c Config) Validate() error {
	var faults []error
	if _, err := zapcore.ParseLevel(c.LogLevel); err != nil {
		faults = append(faults, fmt.Errorf("SUPERVISOR_LOG_LEVEL %q: use debug, info, warn or error", c.LogLevel))
	}
	within := func(name string, n, most int) {
		if n < 1 || n > most {
			faults = append(faults, fmt.Errorf("SUPERVISOR_%s %d: use 1 to %d", name, n, most))
		}
	}
	within("LOG_FILE_MB", c.LogFileMB, 1024)
	within("LOG_FILES", c.LogFiles, 100)
	if c.MaxLoading < 0 {
		faults = append(faults, fmt.Errorf("SUPERVISOR_MAX_LOADING %d: must not be negative; 0 means as many as there are processors", c.MaxLoading))
	}
	positive := func(name string, d time.Duration) {
		if d <= 0 {
			faults = append(faults, fmt.Errorf("SUPERVISOR_%s %s: must be positive", name, d))
		}
	}
	positive("DRAIN_TIMEOUT", c.DrainTimeout)
	positive("START_TIMEOUT", c.StartTimeout)
	positive("STALL_TIMEOUT", c.StallTimeout)
	positive("PROBE_STARTING", c.ProbeStarting)
	positive("PROBE_INTERVAL", c.ProbeInterval)
	return errors.Join(faults...)
}

// Deps is what a program, not an operator, gives.
type Deps struct {
	Log      *zap.Logger
	Models   *manifest.File      // nil: New loads Config.Models
	Commands map[string][]string // what to run for a command of the file, such as mockvllm; others are looked up in PATH
	Guard    []string            // command that calls process.RunGuard with the arguments that follow; there are no processes without it

	Env     func(string) (string, bool)                  // looks up what ${NAME} in the models file stands for; nil: the environment
	Prepare func(*manifest.File) (*manifest.File, error) // makes what is run of what a file says at run time; nil: they are the same
	Told    func(*manifest.File, change.Set, error)      // hears what is in force with each change, or why the file is refused; may be nil
}
