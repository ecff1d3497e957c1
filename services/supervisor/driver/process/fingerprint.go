package process

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
)

// Fingerprint tells a command from another one: by its arguments, its working directory and its environment, with what it inherits, so
// that a token that was lacking makes a difference. Nothing can be read from it.
func Fingerprint(argv []string, dir string, env []string) string {
	env = environment(os.Environ(), env)
	slices.Sort(env)
	text, _ := json.Marshal([]any{argv, dir, env}) // of text alone
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
