package rehearse

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/argv"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// Rehearsal turns plans for GPUs and other machines into ones that need neither: mockvllm has the place of every vLLM, with the
// same flags, and of every server that would not be started here.
type Rehearsal struct {
	Load     func(model string) time.Duration // how long a mock takes to load the model; nil: no time
	FreePort func() (int, error)              // a port of this machine for the mock of a server elsewhere

	ports map[string]int // of these mocks, by instance; the same at each call
}

// Of returns the plan with mocks; all else is as the file has it. What becomes of models that are no vLLM of this machine stands in its
// Warnings, after those of the file.
func (r *Rehearsal) Of(file *manifest.File) (*manifest.File, error) {
	copied := *file
	mocks := &copied
	mocks.Models, mocks.Warnings = slices.Clone(file.Models), slices.Clone(file.Warnings)
	unset := unset(file)
	for _, name := range unset {
		mocks.Warnings = append(mocks.Warnings, fmt.Sprintf("%s is not set: a made-up value has its place while the file is rehearsed.", name))
	}
	for n := range mocks.Models {
		m := &mocks.Models[n]
		m.Instances = slices.Clone(m.Instances)
		switch {
		case m.Driver == manifest.Process:
			note, err := r.process(m, unset)
			if err != nil {
				return nil, fmt.Errorf("models file %s: llmModels.%s: %w", file.Source.Name, m.ID, err)
			}
			if note != "" {
				mocks.Warnings = append(mocks.Warnings, note)
			}
		case starts(file, m):
		default:
			mocks.Warnings = append(mocks.Warnings, fmt.Sprintf("%s: its %s is a mock on this machine while it is rehearsed.", m.ID, places[m.Driver]))
			if err := r.remote(m); err != nil {
				return nil, err
			}
		}
	}
	return mocks, nil
}

var places = map[manifest.Driver]string{manifest.External: "server elsewhere", manifest.Docker: "container", manifest.Kubernetes: "Deployment"}

// starts tells whether all servers of an external model are processes that the file itself starts.
func starts(f *manifest.File, m *manifest.Model) bool {
	for _, i := range m.Instances {
		at, err := url.Parse(i.Dial)
		own := func(p manifest.Port) bool { return err == nil && strict.Loopback(at.Hostname()) && p.Port == i.Port }
		if m.Driver != manifest.External || !slices.ContainsFunc(f.Ports(), own) {
			return false
		}
	}
	return true
}

// process replaces vLLM, and says what else there is. That needs the secrets themselves.
func (r *Rehearsal) process(m *manifest.Model, unset []string) (note string, err error) {
	for n := range m.Instances {
		i := &m.Instances[n]
		line := i.Line()
		if line.Mock() {
			continue
		}
		if !line.VLLM() {
			program := path.Base(i.Argv[0])
			for _, name := range unset {
				if needs(m, i, name) {
					return "", fmt.Errorf("${%s} is not set in the environment; %s is not vLLM, so it runs as it is and needs it", name, program)
				}
			}
			return fmt.Sprintf("%s: %s is not vLLM and runs as it is.", m.ID, program), nil
		}
		line = line[slices.IndexFunc(line, func(w strict.Word) bool { return w.Value == "serve" || w.Value == argv.APIServer })+1:]
		become(i, r.mock(line))
		if _, err := os.Stat(i.Dir); err != nil { // of another machine
			i.Dir = ""
		}
	}
	return "", nil
}

// remote puts mocks in the place of servers that would not be started here.
func (r *Rehearsal) remote(m *manifest.Model) error {
	m.Driver, m.Deployment = manifest.Process, manifest.Deployment{}
	if m.ServedName == "" {
		m.ServedName = m.ID
	}
	for n := range m.Instances {
		i := &m.Instances[n]
		if r.ports[i.ID] == 0 {
			port, err := r.FreePort()
			if err != nil {
				return fmt.Errorf("find a port for the mock of %s: %w", i.ID, err)
			}
			if r.ports == nil {
				r.ports = map[string]int{}
			}
			r.ports[i.ID] = port
		}
		i.Port = r.ports[i.ID]
		at := strict.Endpoint{Scheme: "http", Host: "127.0.0.1", Port: i.Port}
		i.URL, i.Dial = at.String(), at.Dial()
		become(i, r.mock(argv.Line{argv.Plain(m.ServedName)}.With("--host", "127.0.0.1").With("--port", strconv.Itoa(i.Port))))
		if m.APIKey != "" {
			i.Env = manifest.Env{"VLLM_API_KEY": m.APIKey}
		}
	}
	return nil
}

// mock is the command line of a mock with the flags of vllm serve.
func (r *Rehearsal) mock(flags argv.Line) argv.Line {
	line := append(argv.Line{argv.Plain(argv.MockCommand), argv.Plain("serve")}, flags...)
	if r.Load == nil {
		return line
	}
	return line.With("--mock-load-time", r.Load(line.Model()).String())
}

// become gives an instance another command.
func become(i *manifest.Instance, line argv.Line) {
	i.Container, i.GPU = "", nil
	i.Run(line)
}

// billions finds the number of parameters in the name of a model, such as Llama-3.1-8B or Mixtral-8x7B.
var billions = regexp.MustCompile(`(?i)(?:(\d+)x)?(\d+(?:\.\d+)?)b(?:[^a-z0-9]|$)`)

// LoadTime estimates how long vLLM takes to start with a model: half a minute, the least that is seen on a GPU, and a second for
// each gigabyte of weights, of which a parameter has two bytes. The name tells how many there are, or nothing does.
func LoadTime(model string) time.Duration {
	load := 30 * time.Second
	if size := billions.FindStringSubmatch(strings.ReplaceAll(model, "_", "-")); size != nil {
		each, _ := strconv.ParseFloat(size[2], 64)
		if experts, err := strconv.ParseFloat(size[1], 64); err == nil {
			each *= experts
		}
		load += time.Duration(min(each, 10_000) * 2 * float64(time.Second))
	}
	return load
}
