package run

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"
)

// stateFolder makes the folder in which `fluidmcp run` keeps what is to survive a restart: one for each models file, in the user's folder
// for such (https://specifications.freedesktop.org/basedir-spec, XDG_STATE_HOME). Where none can be made, as in a container that
// may not write, it returns "": nobody has asked for it by name.
func stateFolder(log *zap.Logger, models string) string {
	path, err := statePath(models)
	if err == nil {
		err = os.MkdirAll(path, 0o700)
	}
	if err != nil {
		log.Warn("nothing is kept for the next run: set SUPERVISOR_STATE_DIR to a folder that can be written", zap.Error(err))
		return ""
	}
	return path
}

// statePath is the same for each run of a file. Its name is for people, the hash tells apart files of that name.
func statePath(models string) (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(base) { // the specification says to ignore what is not
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		base = filepath.Join(home, ".local", "state")
	}
	file, err := filepath.Abs(models)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	return filepath.Join(base, "fluidmcp", fmt.Sprintf("%s-%.4x", name, sha256.Sum256([]byte(file)))), nil
}
