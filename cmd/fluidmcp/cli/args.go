package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// Exactly one argument is what a command takes; what says which.
func Exactly(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return fmt.Errorf("%d arguments; name %s: %s", len(args), what, cmd.UseLine())
	}
}

// AtMost so many arguments is what a command takes.
func AtMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return fmt.Errorf("%q is one argument too many: %s", args[n], cmd.UseLine())
	}
}

// Subcommand is for commands that only have others.
func Subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	guess := ""
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		guess = " did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("unknown command %q;%s `%s --help` lists the commands", args[0], guess, cmd.CommandPath())
}

// forms are how values of a flag's type are written.
var forms = map[string]string{
	"bool": "true or false", "duration": "a duration such as 300ms, 5s or 2m", "float64": "a number",
	"int": "a whole number", "uint64": "a whole number, at least 0",
}

// Plain says of a flag's value that does not fit how one is written, without what the parser calls it.
func Plain(err error) error {
	wrong, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok || forms[wrong.GetFlag().Value.Type()] == "" {
		return err
	}
	return fmt.Errorf("--%s %q: write %s", wrong.GetFlag().Name, wrong.GetValue(), forms[wrong.GetFlag().Value.Type()])
}

// MeantFlag guesses which flag of the command was misspelt, if one was.
func MeantFlag(cmd *cobra.Command, err error) string {
	wrong, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return ""
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if near := document.Nearest(wrong.GetSpecifiedName(), known); near != "" {
		return " did you mean --" + near + "?"
	}
	return ""
}
