package dockerproxy

import (
	"errors"
	"fmt"
	"path/filepath"

	"go.uber.org/zap/zapcore"
)

// Config is what an operator can set. The environment names a field DOCKERPROXY_LISTEN and so on.
type Config struct {
	Listen   string // path of the unix socket that the supervisor connects to; its folder has to exist
	Engine   string // path of the engine's own socket
	Project  string // the compose project whose containers may be reached
	LogLevel string `split_words:"true"` // debug, info, warn or error
}

// Default returns the settings that need no thought.
func Default() Config {
	return Config{Listen: "/run/fluidmcp/docker.sock", Engine: "/var/run/docker.sock", LogLevel: "info"}
}

// Validate reports every fault at once, by the names that the environment has for them.
func (c Config) Validate() error {
	var faults []error
	if _, err := zapcore.ParseLevel(c.LogLevel); err != nil {
		faults = append(faults, fmt.Errorf("DOCKERPROXY_LOG_LEVEL %q: use debug, info, warn or error", c.LogLevel))
	}
	if c.Project == "" {
		faults = append(faults, errors.New("DOCKERPROXY_PROJECT is not set: name the compose project whose containers may be reached"))
	}
	if !filepath.IsAbs(c.Listen) {
		faults = append(faults, fmt.Errorf("DOCKERPROXY_LISTEN %q: give the whole path of a unix socket", c.Listen))
	}
	if !filepath.IsAbs(c.Engine) {
		faults = append(faults, fmt.Errorf("DOCKERPROXY_ENGINE %q: give the whole path of the engine's unix socket", c.Engine))
	}
	return errors.Join(faults...)
}
