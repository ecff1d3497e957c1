package strict

import (
	"regexp"
	"strings"
)

var reference = regexp.MustCompile(`\$\$\{|\$\{([^}]*)(\}?)`)

// Variable is the form of the name of an environment variable.
var Variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

var secretVariable = regexp.MustCompile(`(?i)(key|token|secret|password|passwd|credentials?)$`)

// SecretVariable tells whether the value of an environment variable is a secret, by the variable's name.
func SecretVariable(name string) bool { return secretVariable.MatchString(name) }

// expand replaces ${NAME} by the environment's NAME. "$${" stands for "${" itself, for a shell to expand.
func (r *Reader) expand(at, s string) string {
	if !strings.Contains(s, "${") {
		return s
	}
	return reference.ReplaceAllStringFunc(s, func(ref string) string {
		parts := reference.FindStringSubmatch(ref)
		name := parts[1]
		switch {
		case ref == "$${":
			return "${"
		case parts[2] == "":
			r.Add(at, `"${" is not closed; write "$${" for the characters themselves`)
			return ""
		case !Variable.MatchString(name):
			r.Add(at, `what "${...}" holds is not the name of an environment variable; write "$${" for the characters themselves`)
			return ""
		}
		value, ok := r.env(name)
		if !ok {
			r.Add(at, "${%s} is not set in the environment", name)
		}
		if SecretVariable(name) {
			r.Secrets = append(r.Secrets, value)
		}
		return value
	})
}
