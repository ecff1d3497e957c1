// Package secret finds API keys of FluidMCP where none should be: clients send them as a model's name, in a path or as the id
// of a request, and all of these are logged or quoted.
package secret

import (
	"regexp"
	"strings"
)

// Prefix begins each API key that FluidMCP makes. Scanners for leaked secrets go by it.
const Prefix = "fmcp_"

var key = regexp.MustCompile(Prefix + `[0-9a-f]{16,}`)

// In tells whether text has an API key in it.
func In(text string) bool { return strings.Contains(text, Prefix) && key.MatchString(text) }

// Mask returns text with "(a secret)" in place of each API key.
func Mask(text string) string {
	if !strings.Contains(text, Prefix) { // nearly always
		return text
	}
	return key.ReplaceAllString(text, "(a secret)")
}
