package spec

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
func (r *Rehearsal) Of(file *File) (*File, error) {
	copied := *file
	mocks := &copied
	mocks.Models, mocks.Warnings = slices.Clone(file.Models), slices.Clone(file.Warnings)
	for n := range mocks.Models {
		m := &mocks.Models[n]
		m.Instances = slices.Clone(m.Instances)
		switch {
		case m.Driver == Process:
			if note := r.process(m); note != "" {
				mocks.Warnings = append(mocks.Warnings, note)
			}
		case file.starts(m):
		default:
			mocks.Warnings = append(mocks.Warnings, fmt.Sprintf("%s: its %s is a mock on this machine while it is rehearsed.", m.ID, places[m.Driver]))
			if err := r.remote(m); err != nil {
				return nil, err
			}
		}
	}
	return mocks, nil
}

var places = map[Driver]string{External: "server elsewhere", Docker: "container", Kubernetes: "Deployment"}

// starts tells whether all servers of an external model are processes that the file itself starts.
func (f *File) starts(m *Model) bool {
	for _, i := range m.Instances {
		at, err := url.Parse(i.Dial)
		own := func(p Port) bool { return err == nil && loopback(at.Hostname()) && p.Port == i.Port }
		if m.Driver != External || !slices.ContainsFunc(f.Ports(), own) {
			return false
		}
	}
	return true
}

// process replaces vLLM, and says what else there is.
func (r *Rehearsal) process(m *Model) (note string) {
	for n := range m.Instances {
		i := &m.Instances[n]
		line := i.words()
		if mocked(line) {
			continue
		}
		if !vllmLike(line) {
			return fmt.Sprintf("%s: %s is not vLLM and runs as it is.", m.ID, path.Base(i.Argv[0]))
		}
		line = line[slices.IndexFunc(line, func(w word) bool { return w.value == "serve" || w.value == apiServer })+1:]
		i.become(r.mock(line))
		if _, err := os.Stat(i.Dir); err != nil { // of another machine
			i.Dir = ""
		}
	}
	return ""
}

// remote puts mocks in the place of servers that would not be started here.
func (r *Rehearsal) remote(m *Model) error {
	m.Driver, m.Deployment = Process, Deployment{}
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
		at := endpoint{scheme: "http", host: "127.0.0.1", port: i.Port}
		i.URL, i.Dial = at.String(), at.dial()
		i.become(r.mock(args{plain(m.ServedName)}.with("--host", "127.0.0.1").with("--port", strconv.Itoa(i.Port))))
		if m.APIKey != "" {
			i.Env = Env{"VLLM_API_KEY": m.APIKey}
		}
	}
	return nil
}

// mock is the command line of a mock with the flags of vllm serve.
func (r *Rehearsal) mock(flags args) args {
	line := append(args{plain(mockCommand), plain("serve")}, flags...)
	if r.Load == nil {
		return line
	}
	return line.with("--mock-load-time", r.Load(modelOf(line)).String())
}

func (i Instance) words() args {
	line := make(args, len(i.Argv))
	for n, value := range i.Argv {
		line[n] = word{value, i.shown[n]}
	}
	return line
}

// become gives the instance another command.
func (i *Instance) become(line args) {
	i.Container, i.GPU, i.Argv, i.shown = "", nil, line.values(), make([]string, len(line))
	for n, w := range line {
		i.shown[n] = w.shown
	}
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
