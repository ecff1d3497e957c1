package adapters_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/services/gateway/adapters"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers with a text, or fails, and notes what it was asked.
type server struct {
	text  string
	fails error
	asked []*http.Request
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, r)
	if s.fails != nil {
		return nil, s.fails
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(s.text)), Request: r}, nil
}

func TestHas(t *testing.T) {
	base, err := url.Parse("http://llm.example:8000/below/")
	require.NoError(t, err)
	for name, text := range map[string]string{
		"no JSON":       `<html>`,
		"nothing":       ``,
		"another list":  `{"models":["sql"]}`,
		"no parent":     `{"data":[{"id":"sql"}]}`,
		"a bare parent": `{"data":[{"id":"sql","parent":null}]}`,
		"cut":           `{"data":[{"id":"sql","parent":"base"}`,
		"endless":       `{"data":[{"id":"sql","parent":"base"},` + strings.Repeat(" ", 2<<20) + `]}`,
	} {
		s := &server{text: text}
		require.False(t, adapters.New(s).Has(t.Context(), base, "", "sql"), name)
		require.Equal(t, "http://llm.example:8000/below/v1/models", s.asked[0].URL.String())
		require.Empty(t, s.asked[0].Header)
	}
}

// TestBelieved: a server is asked once in five seconds, also when it failed, and one that nobody waited for anew.
func TestBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &url.URL{Scheme: "http", Host: "llm.example"}
		s := &server{fails: errors.New("refused")}
		a := adapters.New(s)
		has := func(want bool, asked int) {
			t.Helper()
			require.Equal(t, want, a.Has(t.Context(), base, "key", "sql"))
			require.Len(t, s.asked, asked)
		}
		left, leave := context.WithCancel(t.Context())
		leave()
		require.False(t, a.Has(left, base, "key", "sql"))
		has(false, 2)
		s.text, s.fails = `{"data":[{"id":"base","parent":null},{"id":"sql","parent":"base"}]}`, nil
		has(false, 2)
		time.Sleep(5*time.Second + 1)
		has(true, 3)
		has(true, 3)
		require.Equal(t, "Bearer key", s.asked[2].Header.Get("Authorization"))
		require.False(t, a.Has(t.Context(), base, "key", "base"), "what a server is itself is no adapter")
		s.text = `{"data":[]}`
		time.Sleep(5*time.Second + 1)
		has(false, 4)
	})
}
