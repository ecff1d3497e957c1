// Package rows are the gateways that can be measured: what to start, and how to ask it.
package rows

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/pinned"
)

//go:embed rows.json peers
var builtIn embed.FS

// Row is one gateway, as rows.json and the files of --row describe it. In the strings of command, config, env and headers
// these are replaced: {port} where it listens, {extra_port} that it may use, {upstream} http://127.0.0.1:PORT,
// {upstream_port}, {dir} an empty folder, {config} the path of the filled-in config, {cache} where install.sh put the peers,
// and {self} this program.
type Row struct {
	Name         string            `json:"name"`
	Note         string            `json:"note"`
	Command      []string          `json:"command"` // stays in the foreground; none for direct
	Config       string            `json:"config"`  // file with the text of the config, beside the file that describes the row
	Env          map[string]string `json:"env"`
	Headers      []string          `json:"headers"` // "Name: value", sent with every request
	Path         string            `json:"path"`    // of chat completions on the gateway
	Ready        string            `json:"ready"`   // answers 200 when the gateway is up
	Version      []string          `json:"version"` // prints the version
	Feed         bool              `json:"feed"`    // has a fleet feed, as a supervisor gives it, on {extra_port}
	StartSeconds int               `json:"start_seconds"`

	Text string `json:"-"` // of the config
}

// StartTime is how long the gateway may take until it answers.
func (r Row) StartTime() time.Duration { return time.Duration(r.StartSeconds) * time.Second }

// Read reads the rows that come with the program and those of the files, which replace rows of the same name.
func Read(files []string) ([]Row, error) {
	rows, err := parseRows("rows.json", builtIn.ReadFile)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		more, err := parseRows(file, os.ReadFile)
		if err != nil {
			return nil, err
		}
		for _, r := range more {
			if i := slices.IndexFunc(rows, func(old Row) bool { return old.Name == r.Name }); i >= 0 {
				rows[i] = r
			} else {
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

func parseRows(file string, read func(string) ([]byte, error)) ([]Row, error) {
	text, err := read(file)
	if err != nil {
		return nil, err
	}
	var rows []Row
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&rows); err != nil {
		return nil, fmt.Errorf("%s: %w; see rows.json for the form", file, err)
	}
	for i := range rows {
		r := &rows[i]
		if r.Name == "" {
			return nil, fmt.Errorf("%s: row %d has no name", file, i+1)
		}
		r.Path = cmp.Or(r.Path, "/v1/chat/completions")
		r.Ready = cmp.Or(r.Ready, "/health")
		r.StartSeconds = cmp.Or(r.StartSeconds, 20)
		if r.Config != "" {
			config, err := read(filepath.Join(filepath.Dir(file), r.Config))
			if err != nil {
				return nil, fmt.Errorf("%s: row %s: %w", file, r.Name, err)
			}
			r.Text = string(config)
		}
	}
	return rows, nil
}

// Choose keeps the rows that are named, in the order of the names; without names it keeps all.
func Choose(rows []Row, names string) ([]Row, error) {
	if names == "" {
		return rows, nil
	}
	var chosen []Row
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(rows, func(r Row) bool { return r.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no row %q; --list shows the rows there are", name)
		}
		chosen = append(chosen, rows[i])
	}
	return chosen, nil
}

// Places are what stands for the words in braces.
type Places struct {
	Upstream, Port, ExtraPort string // ports
	Dir, Cache, Self          string // paths
}

// Fill replaces the words in braces.
func (p Places) Fill(text string) string {
	return strings.NewReplacer("{port}", p.Port, "{extra_port}", p.ExtraPort, "{upstream_port}", p.Upstream,
		"{upstream}", "http://127.0.0.1:"+p.Upstream, "{dir}", p.Dir, "{config}", filepath.Join(p.Dir, "config"),
		"{cache}", p.Cache, "{self}", p.Self).Replace(text)
}

// FillAll is Fill for several.
func (p Places) FillAll(texts []string) []string {
	filled := make([]string, len(texts))
	for i, text := range texts {
		filled[i] = p.Fill(text)
	}
	return filled
}

// Missing says why a row cannot be measured, and how to change that; "" when it can.
func (r Row) Missing(p Places) string {
	if len(r.Command) == 0 {
		return ""
	}
	if _, err := pinned.LookPath(p.Fill(r.Command[0])); err == nil {
		return ""
	}
	if strings.HasPrefix(r.Command[0], "bin/") {
		return "not built: make bench-gateway builds it"
	}
	return fmt.Sprintf("not installed: tools/gatewaybench/install.sh %s %s", p.Cache, r.Name)
}

var versionNumber = regexp.MustCompile(`\d+(\.\d+)+`)

// VersionOf asks the program for its version; "" when it does not tell.
func (r Row) VersionOf(p Places) string {
	if len(r.Version) == 0 {
		return ""
	}
	argv := p.FillAll(r.Version)
	path, err := pinned.LookPath(argv[0])
	if err != nil {
		return ""
	}
	out, _ := exec.Command(path, argv[1:]...).CombinedOutput() //nolint:noctx // it prints and ends
	return versionNumber.FindString(string(out))
}
