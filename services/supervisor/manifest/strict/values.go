package strict

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// Whole reads a whole number within the field's bounds, or its default, 0 without one.
func (o *Object) Whole(name string) int {
	f := o.Field(name)
	fallback, _ := f.Default.(int)
	n := o.want(name, document.Number)
	if n == nil {
		return fallback
	}
	v, err := strconv.Atoi(n.Text)
	if err != nil || v < f.Min || v > f.Max {
		o.Add(o.At(name), "%s is not a whole number from %d to %d", n.Text, f.Min, f.Max)
		return fallback
	}
	return v
}

// Percent reads a number over 0 and at most 100; 0 when it is none.
func (o *Object) Percent(name string) float64 {
	n := o.want(name, document.Number)
	if n == nil {
		return 0
	}
	v, err := strconv.ParseFloat(n.Text, 64)
	if err != nil || !(v > 0 && v <= 100) {
		o.Add(o.At(name), "%s is not more than 0 and at most 100", n.Text)
		return 0
	}
	return v
}

// Yes reads true or false; false when the field is missing.
func (o *Object) Yes(name string) bool {
	n := o.want(name, document.Boolean)
	return n != nil && n.Text == "true"
}

// Choice reads one of the field's words; the first is the default.
func (o *Object) Choice(name string) string {
	of := o.Field(name).Choices
	n := o.want(name, document.Text)
	if n == nil {
		return of[0]
	}
	if !slices.Contains(of, n.Text) {
		o.Add(o.At(name), "%q is not one of %s", n.Text, strings.Join(of, ", "))
		return of[0]
	}
	return n.Text
}

// Longest is more than any timeout needs; beyond it a number is rather in milliseconds.
const Longest = 7 * 24 * time.Hour

// Duration reads a number of seconds or a string such as "1m30s"; 0 when the field is missing.
func (o *Object) Duration(name string) time.Duration {
	n := o.Fields[name]
	if n == nil {
		return 0
	}
	d, ok := parseDuration(n)
	if !ok {
		o.Add(o.At(name), `expected a number of seconds or a string such as "1m30s", found %s`, foundDuration(n))
		return 0
	}
	if d <= 0 || d > Longest {
		o.Add(o.At(name), "%s is not more than 0 and at most 168h", n.Text)
		return 0
	}
	return d
}

func parseDuration(n *document.Node) (time.Duration, bool) {
	switch n.Kind {
	case document.Number:
		seconds, err := strconv.ParseFloat(n.Text, 64)
		if err != nil || math.IsNaN(seconds) {
			return 0, false
		}
		if math.Abs(seconds) > Longest.Seconds() {
			return Longest + 1, true // the caller refuses it; the product below would overflow
		}
		return time.Duration(seconds * float64(time.Second)), true
	case document.Text:
		d, err := time.ParseDuration(n.Text)
		return d, err == nil
	}
	return 0, false
}

func foundDuration(n *document.Node) string {
	if n.Kind == document.Text || n.Kind == document.Number {
		return strconv.Quote(n.Text)
	}
	return n.Kind.String()
}
