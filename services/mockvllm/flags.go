package mockvllm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/cli"
)

// usageError ends the program with exit code 2, as argparse does.
type usageError = cli.UsageError

// commandLine is a parsed `serve`.
type commandLine struct {
	model, served bool     // given by flags or argument
	given         []string // non-default arguments, for the log
	idle          []string // accepted options without effect
}

// parseServe reads the arguments after serve into cfg.
func parseServe(args []string, cfg *Config) (commandLine, error) {
	line, err := cli.ServeTable(ownOptions).Parse(args)
	if err != nil {
		return commandLine{}, err
	}
	cl := commandLine{model: line.Model != ""}
	set := setters()
	for _, g := range line.Given {
		name := g.Option.Name()
		if name == "--model" && cl.model { // the file of --config names another one
			continue
		}
		cl.model = cl.model || name == "--model"
		cl.served = cl.served || name == "--served-model-name"
		if name != "--api-key" && name != "--hf-token" { // a log is no place for keys
			cl.given = append(cl.given, fmt.Sprintf("'%s': '%s'", strings.ReplaceAll(name[2:], "-", "_"), strings.Join(g.Values, " ")))
		}
		if set[name] == nil {
			if !slices.Contains(cl.idle, name) {
				cl.idle = append(cl.idle, name)
			}
			continue
		}
		if err := set[name](cfg, g.Values); err != nil {
			return cl, usageError{Prog: "vllm serve", Message: err.wording(name)}
		}
	}
	if line.Model != "" {
		cfg.Model = line.Model
	}
	return cl, nil
}

// flagError is a value that its setter refuses.
type flagError struct {
	message string
	bare    bool // vLLM does not name the option before it
}

func (e *flagError) wording(name string) string {
	if e.bare {
		return e.message
	}
	return "argument " + name + ": " + e.message
}

func invalidValue(kind, value string) *flagError {
	return &flagError{message: fmt.Sprintf("invalid %s value: '%s'", kind, value)}
}
