package spec

import (
	"regexp"
	"strings"
)

var reference = regexp.MustCompile(`\$\$\{|\$\{([^}]*)(\}?)`)

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand replaces ${NAME} by the environment's NAME. "$${" stands for "${" itself, for a shell to expand.
func (r *reader) expand(at, s string) string {
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
			r.add(at, `"${" is not closed; write "$${" for the characters themselves`)
			return ""
		case !variable.MatchString(name):
			r.add(at, `what "${...}" holds is not the name of an environment variable; write "$${" for the characters themselves`)
			return ""
		}
		value, ok := r.env(name)
		if !ok {
			r.add(at, "${%s} is not set in the environment", name)
		}
		if SecretVariable(name) {
			r.secrets = append(r.secrets, Secret(value))
		}
		return value
	})
}
