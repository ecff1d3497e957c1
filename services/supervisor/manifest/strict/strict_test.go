package strict_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

var known = []strict.Field{
	{Name: "name", Type: strict.TypeText},
	{Name: "count", Type: strict.TypeWhole, Min: 1, Max: 9, Default: 3},
	{Name: "wait", Type: strict.TypeDuration},
	{Name: "size", Type: strict.TypeChoice, Choices: []string{"small", "large"}},
	{Name: "address", Type: strict.TypeURL},
	{Name: "share", Type: strict.TypePercent},
	{Name: "inner", Type: strict.TypeObject, Fields: []strict.Field{{Name: "yes", Type: strict.TypeYesNo}}},
}

// open reads text as an object with the known fields.
func open(t *testing.T, text string) (*strict.Reader, *strict.Object) {
	t.Helper()
	n, err := document.ParseJSON([]byte(text))
	require.NoError(t, err)
	r := strict.New("f.json", func(name string) (string, bool) {
		v, ok := map[string]string{"WHO": "me", "MY_TOKEN": "t"}[name]
		return v, ok
	})
	return r, r.Object("top", n, known)
}

func TestValues(t *testing.T) {
	r, o := open(t, `{"name": "${WHO} and $${WHO} ${MY_TOKEN}", "count": 5, "wait": "1m", "size": "large", "address": "http://localhost:8001/a/v1/", "share": 0.5, "inner": {"yes": true}}`)
	require.Equal(t, "me and ${WHO} t", o.Text("name"))
	require.Equal(t, []string{"t"}, r.Secrets)
	require.Equal(t, 5, o.Whole("count"))
	require.Equal(t, time.Minute, o.Duration("wait"))
	require.Equal(t, "large", o.Choice("size"))
	require.InDelta(t, 0.5, o.Percent("share"), 0)
	require.True(t, o.Child("inner").Yes("yes"))
	at := o.Endpoint("address")
	require.Equal(t, "http://localhost:8001/a", at.String())
	require.Equal(t, "http://127.0.0.1:8002/a", at.WithPort(8002).Dial())
	require.NoError(t, r.Err())
}

func TestAbsence(t *testing.T) {
	r, o := open(t, `{}`)
	require.Empty(t, o.Text("name"))
	require.Equal(t, 3, o.Whole("count"))
	require.Zero(t, o.Duration("wait"))
	require.Equal(t, "small", o.Choice("size"))
	require.False(t, o.Child("inner").Yes("yes"))
	require.NoError(t, r.Err())
	o.Need("name", "a name")
	require.EqualError(t, r.Err(), `models file f.json: top.name: missing; give a name`)
}

// TestAllFaultsAtOnce with their paths, in the order in which they are met.
func TestAllFaultsAtOnce(t *testing.T) {
	r, o := open(t, `{"nme": 1, "count": 10, "wait": [], "size": "huge", "name": "${NOBODY}", "inner": {"yes": 1}, "share": 101, "count": 1, "address": "ftp://x"}`)
	o.Whole("count")
	o.Duration("wait")
	o.Choice("size")
	o.Text("name")
	o.Child("inner").Yes("yes")
	o.Percent("share")
	o.Endpoint("address")
	require.EqualError(t, r.Err(), `models file f.json has 9 faults:
  top.nme: unknown field; did you mean "name"?
  top.count: given twice; keep one
  top.count: 10 is not a whole number from 1 to 9
  top.wait: expected a number of seconds or a string such as "1m30s", found a list
  top.size: "huge" is not one of small, large
  top.name: ${NOBODY} is not set in the environment
  top.inner.yes: expected true or false, found a number
  top.share: 101 is not more than 0 and at most 100
  top.address: must begin with http:// or https://; use the form "http://localhost:8001/v1"`)
}
