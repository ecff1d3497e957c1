package spec

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// whole reads a whole number within the field's bounds, or its default, 0 without one.
func (o *object) whole(name string) int {
	f := o.field(name)
	fallback, _ := f.Default.(int)
	n := o.want(name, document.Number)
	if n == nil {
		return fallback
	}
	v, err := strconv.Atoi(n.Text)
	if err != nil || v < f.Min || v > f.Max {
		o.add(o.at(name), "%s is not a whole number from %d to %d", n.Text, f.Min, f.Max)
		return fallback
	}
	return v
}

// percent reads a number over 0 and at most 100; 0 when it is none.
func (o *object) percent(name string) float64 {
	n := o.want(name, document.Number)
	if n == nil {
		return 0
	}
	v, err := strconv.ParseFloat(n.Text, 64)
	if err != nil || !(v > 0 && v <= 100) {
		o.add(o.at(name), "%s is not more than 0 and at most 100", n.Text)
		return 0
	}
	return v
}

// yes reads true or false; false when the field is missing.
func (o *object) yes(name string) bool {
	n := o.want(name, document.Boolean)
	return n != nil && n.Text == "true"
}

// choice reads one of the field's words; the first is the default.
func (o *object) choice(name string) string {
	of := o.field(name).Choices
	n := o.want(name, document.Text)
	if n == nil {
		return of[0]
	}
	if !slices.Contains(of, n.Text) {
		o.add(o.at(name), "%q is not one of %s", n.Text, strings.Join(of, ", "))
		return of[0]
	}
	return n.Text
}

// longest is more than any timeout needs; beyond it a number is rather in milliseconds.
const longest = 7 * 24 * time.Hour

// duration reads a number of seconds or a string such as "1m30s"; 0 when the field is missing.
func (o *object) duration(name string) time.Duration {
	n := o.fields[name]
	if n == nil {
		return 0
	}
	d, ok := parseDuration(n)
	if !ok {
		o.add(o.at(name), `expected a number of seconds or a string such as "1m30s", found %s`, foundDuration(n))
		return 0
	}
	if d <= 0 || d > longest {
		o.add(o.at(name), "%s is not more than 0 and at most 168h", n.Text)
		return 0
	}
	return d
}

func parseDuration(n *node) (time.Duration, bool) {
	switch n.Kind {
	case document.Number:
		seconds, err := strconv.ParseFloat(n.Text, 64)
		if err != nil || math.IsNaN(seconds) {
			return 0, false
		}
		if math.Abs(seconds) > longest.Seconds() {
			return longest + 1, true // the caller refuses it; the product below would overflow
		}
		return time.Duration(seconds * float64(time.Second)), true
	case document.Text:
		d, err := time.ParseDuration(n.Text)
		return d, err == nil
	}
	return 0, false
}

func foundDuration(n *node) string {
	if n.Kind == document.Text || n.Kind == document.Number {
		return strconv.Quote(n.Text)
	}
	return n.Kind.String()
}
