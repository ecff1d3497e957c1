package read

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// visibleDevices is the variable by which CUDA is told the GPUs of a process.
const visibleDevices = "CUDA_VISIBLE_DEVICES"

var deviceList = regexp.MustCompile(`^[A-Za-z0-9:/_-]+(,[A-Za-z0-9:/_-]+)*$`)

// devices are the GPUs of each replica, as CUDA_VISIBLE_DEVICES lists them: from devices, from env, or from the environment. It is
// nil when nothing says.
func (e *entry) devices(replicas int, env manifest.Env) []string {
	at := e.At("devices")
	listed := e.Words("devices")
	own, given := env[visibleDevices]
	switch {
	case listed == nil:
		all := own.Reveal()
		if !given {
			all, given = e.Env(visibleDevices)
		}
		if !given || all == "" {
			return nil
		}
		return slices.Repeat([]string{all}, replicas)
	case given:
		e.Add(at, "has the place of %s in env; keep one of them", visibleDevices)
	case len(listed) != 1 && len(listed) != replicas:
		e.Add(at, "has %d items, replicas is %d; give one for each, or one for all", len(listed), replicas)
		return nil
	}
	devices := make([]string, replicas)
	for i := range devices {
		devices[i] = strings.ReplaceAll(listed[i%len(listed)].Value, " ", "")
		if !deviceList.MatchString(devices[i]) {
			e.Add(strict.Index(at, i%len(listed)), `not a list of GPUs; use the form "0" or "0,1"`)
			return nil
		}
	}
	return devices
}

// with is the environment of a replica, whose devices the file may say.
func with(env manifest.Env, devices []string, replica int) manifest.Env {
	if devices == nil {
		return env
	}
	own := maps.Clone(env)
	own[visibleDevices] = manifest.Secret(devices[replica])
	return own
}
