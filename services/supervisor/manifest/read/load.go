package read

import (
	"fmt"
	"io/fs"
	"os"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
)

// MaxFile bounds a models file, in bytes. A thousand models take well under a megabyte.
const MaxFile = 4 << 20

// Load reads the models file at path. env looks up what ${NAME} stands for; nil knows no names.
func Load(path string, env func(string) (string, bool)) (*manifest.File, error) {
	data, err := text(path)
	if err != nil {
		return nil, err
	}
	file, err := Parse(path, data, env)
	if err != nil {
		return nil, err
	}
	file.Path = path
	return file, nil
}

// text is what stands in the file at path.
func text(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return nil, fmt.Errorf("models file %s does not exist: check the path, or begin with examples/vllm-mock-config.json", path)
	case err != nil:
		return nil, fmt.Errorf("open models file: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("models file %s is a directory: name a file in it", path)
	case info.Mode()&fs.ModeType == 0 && info.Size() > MaxFile:
		return nil, fmt.Errorf("models file %s has %d bytes, more than the %d that a models file may have", path, info.Size(), MaxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read models file: %w", err)
	}
	return data, nil
}
