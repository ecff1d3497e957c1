package manifest

import (
	"fmt"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/argv"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// File is the plan that a models file describes.
type File struct {
	Path   string         // as given to read.Load; "" for what read.Parse read
	Source *source.Source // what the plan was made of
	Models []Model        // ordered by ID

	Warnings []string // what works but hardly as meant, a sentence each
	Secrets  []Secret // what no log may show: each api_key, and the values of flags, of env and of ${NAME} that are secret by their name

	SwapGroups map[string]SwapGroup // by name, those that models are in
}

// SwapGroup is models that share GPUs, by what its members have as Model.Demand.SwapGroup.
type SwapGroup struct {
	Loaded    int           // so many of them at a time; at least 1
	Residency time.Duration // for which one stays; 0: as long as its start took
}

// Driver names what runs a model.
type Driver string

// The drivers.
const (
	Process    Driver = "process"    // a child process of the supervisor
	External   Driver = "external"   // a server that somebody else runs; it is only watched
	Docker     Driver = "docker"     // a container that exists already
	Kubernetes Driver = "kubernetes" // a Deployment that exists already
)

// RestartPolicy says what follows when a model server ends unasked.
type RestartPolicy string

// The restart policies. An exit that nobody asked for is a failure whatever its code, because vLLM exits with code 0 when its
// engine was killed; so OnFailure and Always differ for nobody yet and are both understood.
const (
	OnFailure RestartPolicy = "on-failure"
	Always    RestartPolicy = "always"
	Never     RestartPolicy = "never"
)

// Model is one entry of llmModels.
type Model struct {
	ID         string
	Aliases    []string // further ids, in the order of the file
	ServedName string   // what the model server calls the model; "" when the file does not tell
	Driver     Driver
	Restart    RestartPolicy
	Timeouts   Timeouts
	Routing    fleet.Routing
	Limits     fleet.Limits
	APIKey     Secret   // the model server asks for it; "" when it asks for none
	DependsOn  []string // ids of models that have to be ready before a server of this one starts
	Surge      bool     // there is room for one more server while a restart lasts
	Instances  []Instance
	Demand     Demand
	Deployment Deployment // of Driver Kubernetes
}

// Instance is one model server.
type Instance struct {
	ID      string    // the model's id with "-0" and so on; unique in the file
	Argv    []string  // command and arguments of Driver Process; may hold secrets, CommandLine does not
	Dir     string    // working directory; "" is the supervisor's
	Env     Env       // added to the inherited environment
	URL     string    // base without the API version, as the file says: http://localhost:8001
	Dial    string    // the same to connect to: localhost is 127.0.0.1, so that IPv4 and IPv6 cannot name two servers
	Port    int       // of URL
	Weight  int       // relative share of the model's traffic, at least 1
	Listens bool      // the command opens Port itself, as those that take vLLM's flags do; others may leave that to another process
	GPU     *argv.GPU // nil when it takes none, or it is not known which
	Extra   bool      // one more server, for as long as a rollout lasts
	shown   []string  // Argv for people

	Container string // its name, of Driver Docker
}

// CommandLine is the command, or the container, as a person may see it: ${NAME} is not replaced and secrets are hidden.
func (i Instance) CommandLine() string {
	if i.Container != "" {
		return "container " + i.Container
	}
	return strings.Join(i.shown, " ")
}

// String shows an instance without its secrets.
func (i Instance) String() string {
	return fmt.Sprintf("%s at %s: %s", i.ID, i.URL, i.CommandLine())
}

// Line is the command line of Driver Process, each word with what a person may see of it.
func (i Instance) Line() argv.Line {
	line := make(argv.Line, len(i.Argv))
	for n, value := range i.Argv {
		line[n] = strict.Word{Value: value, Shown: i.shown[n]}
	}
	return line
}

// Run gives the instance another command line.
func (i *Instance) Run(line argv.Line) {
	i.Argv, i.shown = line.Values(), make([]string, len(line))
	for n, w := range line {
		i.shown[n] = w.Shown
	}
}

// Demand says when a model runs that is started by requests. The zero value is one that always runs.
type Demand struct {
	Start       bool          // by a request
	IdleTimeout time.Duration // stopped after so long without one; 0 for never
	SwapGroup   string        // key of File.SwapGroups; "" for none
	Sleep       bool          // put to sleep rather than stopped
}

// Timeouts of one model; 0 means the default of whoever applies it.
type Timeouts struct {
	Connect   time.Duration // to connect to the server
	FirstByte time.Duration // from a request to the first byte of its answer
	Idle      time.Duration // between two pieces of an answer
	Total     time.Duration // of a whole answer
	Start     time.Duration // from starting the server to its being ready
	Stall     time.Duration // the same without any progress
	Drain     time.Duration // for requests in flight before the server is stopped
	Load      time.Duration // for requests that wait until the model is loaded
}

// Deployment names a Deployment of Driver Kubernetes.
type Deployment struct{ Name, Namespace string }

// Port is a port of this machine that a model server listens on.
type Port struct {
	Port     int
	Model    string // id
	Instance string // id
}

// Ports lists the ports that the processes of the plan will open.
func (f *File) Ports() []Port {
	var ports []Port
	for _, m := range f.Models {
		if m.Driver != Process {
			continue
		}
		for _, i := range m.Instances {
			ports = append(ports, Port{Port: i.Port, Model: m.ID, Instance: i.ID})
		}
	}
	return ports
}
