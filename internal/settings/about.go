package settings

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/version"
)

// About writes what a program is asked to tell of itself, and tells whether it was asked: its version, or how it is used, with the
// variables that set the fields of cfg, a pointer to a struct of defaults. See Read for their names.
func About(out io.Writer, args []string, usage, prefix string, cfg any) bool {
	switch {
	case len(args) == 0:
		return false
	case slices.Contains([]string{"version", "--version", "-v"}, args[0]):
		v := version.Get()
		fmt.Fprintf(out, "%s %s (%s, %s)\n", prefix, v.Version, v.Revision, v.GoVersion)
		return true
	case slices.Contains([]string{"help", "--help", "-h"}, args[0]):
		fmt.Fprintf(out, "%s\nSettings, with what they are where the environment does not say:\n", usage)
		values := reflect.ValueOf(cfg).Elem()
		for i, name := range names(cfg) {
			fmt.Fprintf(out, "  %s_%s=%s\n", strings.ToUpper(prefix), name, written(values.Field(i).Interface()))
		}
		return true
	}
	return false
}

// written is a value as the environment would say it.
func written(value any) string {
	if list, ok := value.([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(value)
}
