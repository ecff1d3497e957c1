package plan

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/cli"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs/redact"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
)

// Check reads the command lines of the plan as their servers will. A mock that does not understand its own would end at
// once, so that is an error, all of them together. A vLLM may be another version than 0.32: what that one does not know becomes a
// warning of the file. Files that a command line names are not looked at; they may be on another machine.
func Check(file *manifest.File) error {
	var faults []error
	redactor := redact.New(file.Reveal())
	for _, m := range file.Models {
		if m.Driver != manifest.Process {
			continue
		}
		inst := m.Instances[0] // the others differ by their port
		wrong, ok := errors.AsType[cli.UsageError](understood(inst))
		if !ok {
			continue
		}
		text := fmt.Sprintf("does not understand its command line: %s; correct config or args", redactor.Hide(wrong.Message))
		if program(inst) == mockCommand {
			faults = append(faults, fmt.Errorf("models file %s: llmModels.%s: mockvllm %s", file.Path, m.ID, text))
		} else {
			file.Warnings = append(file.Warnings, fmt.Sprintf("%s: vLLM 0.32 %s.", m.ID, text))
		}
	}
	return errors.Join(faults...)
}

// mockCommand is what a models file calls this program's mock.
const mockCommand = "mockvllm"

func program(inst manifest.Instance) string { return path.Base(inst.Argv[0]) }

// understood has the mock's parser, which knows vLLM's flags, read a command line of either.
func understood(inst manifest.Instance) error {
	if name := program(inst); name != mockCommand && name != "vllm" || len(inst.Argv) < 2 || inst.Argv[1] != "serve" {
		return nil
	}
	_, _, err := config.Read(inst.Argv[2:], func(name string) string { return cmp.Or(inst.Env[name].Reveal(), os.Getenv(name)) })
	return err
}
