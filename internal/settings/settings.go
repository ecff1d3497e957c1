// Package settings reads the settings of a program from the environment.
package settings

import (
	"errors"
	"fmt"
	"os"

	"github.com/kelseyhightower/envconfig"
)

// forms are how values of a type are written. Those that are not here are told by Go's name.
var forms = map[string]string{
	"bool":          "true or false",
	"float64":       "a number",
	"int":           "a whole number",
	"int64":         "a whole number",
	"time.Duration": "a duration such as 300ms, 5s or 2m",
}

// Read sets the fields of cfg, a pointer to a struct, that the environment names: PREFIX_FIELD_NAME, in capitals. Of values that do not
// fit it reports the first. A variable with the prefix that no field has is an error too, for it was meant for one.
func Read(prefix string, cfg any) error {
	err := envconfig.Process(prefix, cfg)
	if wrong, ok := errors.AsType[*envconfig.ParseError](err); ok {
		form, known := forms[wrong.TypeName]
		if !known {
			form = wrong.TypeName
		}
		err = fmt.Errorf("%s %q: write %s", wrong.KeyName, os.Getenv(wrong.KeyName), form)
	}
	if err = errors.Join(err, envconfig.CheckDisallowed(prefix, cfg)); err != nil {
		return fmt.Errorf("read environment: %w", err)
	}
	return nil
}
