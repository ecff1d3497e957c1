package process

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
)

// Fingerprint tells a command from another one: by its arguments, its working directory and its environment, with what it inherits, and by
// where its program is found. So a token that was lacking makes a difference, and so does a program. Nothing can be read from it.
func Fingerprint(argv []string, dir string, env []string) string {
	env = environment(os.Environ(), env)
	slices.Sort(env)
	path := ""
	if len(argv) > 0 {
		path, _ = exec.LookPath(argv[0]) // "" when it is not there
	}
	text, _ := json.Marshal([]any{path, argv, dir, env}) // of text alone
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
