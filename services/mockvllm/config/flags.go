package config

import (
	"fmt"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/cli"
)

// usageError ends the program with exit code 2, as argparse does.
type usageError = cli.UsageError

// CommandLine is a parsed `serve`.
type CommandLine struct {
	model, served, seqs bool     // given by flags or argument
	Given               []string // non-default arguments, for the log
	Idle                []string // accepted options without effect
}

// parseServe reads the arguments after serve into cfg.
func parseServe(args []string, cfg *Config) (CommandLine, error) {
	line, err := cli.ServeTable(ownOptions).Parse(args)
	if err != nil {
		return CommandLine{}, err
	}
	cl := CommandLine{model: line.Model != "", Given: line.Shown()}
	for _, g := range line.Given {
		name := g.Option.Name()
		if name == "--model" && cl.model { // the file of --config names another one
			continue
		}
		cl.model = cl.model || name == "--model"
		cl.served = cl.served || name == "--served-model-name"
		cl.seqs = cl.seqs || name == "--max-num-seqs"
		if setters[name] == nil {
			if !slices.Contains(cl.Idle, name) {
				cl.Idle = append(cl.Idle, name)
			}
			continue
		}
		if err := setters[name](cfg, g.Values); err != nil {
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
