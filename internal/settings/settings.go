// Package settings reads the settings of a program from the environment, and tells which there are.
package settings

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/kelseyhightower/envconfig"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// forms are how values of a type are written. Other types of the language are told by their name, those of packages tell themselves.
var forms = map[string]string{
	"bool":          "true or false",
	"float64":       "a number",
	"int":           "a whole number",
	"int64":         "a whole number",
	"time.Duration": "a duration such as 300ms, 5s or 2m",
}

// Read sets the fields of cfg, a pointer to a struct, that the environment names: PREFIX_FIELD_NAME, in capitals. It reports every
// value that does not fit. A variable with the prefix that no field has is an error too, for it was meant for one; an empty one is as
// none, for a compose file has no other way to pass on what may not be set: ${NAME:-}. It is for the begin of a program, because it may
// take variables out of the environment for a moment.
func Read(prefix string, cfg any) error {
	var faults []error
	for _, name := range names(cfg) {
		name = strings.ToUpper(prefix) + "_" + name
		if value, set := os.LookupEnv(name); set && value == "" {
			if err := os.Unsetenv(name); err != nil {
				return fmt.Errorf("read environment: %w", err)
			}
			defer os.Setenv(name, "") // it was there
		}
	}
	for {
		err := envconfig.Process(prefix, cfg)
		wrong, ok := errors.AsType[*envconfig.ParseError](err)
		if !ok {
			faults = append(faults, err)
			break
		}
		value := os.Getenv(wrong.KeyName)
		faults = append(faults, misfit(wrong))
		if err := os.Unsetenv(wrong.KeyName); err != nil { // so that the next fault is found
			break
		}
		defer os.Setenv(wrong.KeyName, value) // the value was there
	}
	if err := errors.Join(append(faults, unknown(prefix, cfg))...); err != nil {
		return fmt.Errorf("read environment: %w", err)
	}
	return nil
}

func misfit(wrong *envconfig.ParseError) error {
	form := forms[wrong.TypeName]
	if _, builtIn := errors.AsType[*strconv.NumError](wrong.Err); builtIn {
		form = cmp.Or(form, wrong.TypeName)
	}
	if form == "" {
		return fmt.Errorf("%s: %w", wrong.KeyName, wrong.Err)
	}
	return fmt.Errorf("%s %q: write %s", wrong.KeyName, wrong.Value, form)
}

// unknown reports a variable with the prefix that no field has, and which one it was most likely meant for.
func unknown(prefix string, cfg any) error {
	err := envconfig.CheckDisallowed(prefix, cfg)
	if err == nil {
		return nil
	}
	// The prefix is no part of the likeness: it is the same for all.
	begin := strings.ToUpper(prefix) + "_"
	_, name, _ := strings.Cut(err.Error(), begin)
	if meant := document.Nearest(name, names(cfg)); meant != "" {
		return fmt.Errorf("%w; did you mean %s%s?", err, begin, meant)
	}
	return err
}

// boundary is where a word begins within a field's name, for envconfig's split_words: TLSCertFile is TLS_CERT_FILE.
var boundary = regexp.MustCompile("([^A-Z])([A-Z])|([A-Z])([A-Z][^A-Z])")

// names lists what the fields of cfg are called in the environment, without the prefix. The library has such a list for a text template
// alone, and a program with templates in it is some 3 MB larger.
func names(cfg any) (names []string) {
	for field := range reflect.TypeOf(cfg).Elem().Fields() {
		names = append(names, strings.ToUpper(boundary.ReplaceAllString(field.Name, "${1}${3}_${2}${4}")))
	}
	return names
}
