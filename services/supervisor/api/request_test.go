package api

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/services/supervisor/modelsfile"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
)

func TestWhichEventsSomebodyWants(t *testing.T) {
	f := func(query, last string, want wish, code string) {
		t.Helper()
		r := httptest.NewRequest("GET", "/?"+query, nil)
		if last != "" {
			r.Header.Set(lastEventID, last)
		}
		got, err := readWish(r)
		if code != "" {
			var e *openai.Error
			require.ErrorAs(t, err, &e, query)
			require.Equal(t, code, e.Code)
			return
		}
		require.NoError(t, err, query)
		require.Equal(t, want, got, query)
	}
	at := time.Date(2027, 1, 31, 8, 0, 0, 0, time.UTC)
	f("", "", wish{}, "")
	f("since=7&limit=2", "", wish{after: 7, last: 2}, "")
	f("since=2027-01-31T08:00:00Z", "", wish{from: at}, "")
	f("since=2027-01-31T08:00:00Z", "9", wish{after: 9}, "") // where it broke off counts more
	f("since=yesterday", "", wish{}, "invalid_since")
	f("since=-5m", "", wish{}, "invalid_since")
	f("", "x", wish{}, "invalid_since")
	f("limit=0", "", wish{}, "invalid_limit")
	f("limit=1000000000", "", wish{}, "invalid_limit")
}

func TestWantedEvents(t *testing.T) {
	at := time.Date(2027, 1, 31, 8, 0, 0, 0, time.UTC)
	f := func(w wish, want ...uint64) {
		t.Helper()
		all := []store.Event{{Number: 1, At: at, Model: "a"}, {Number: 2, At: at.Add(1), Model: "b"}, {Number: 3, At: at.Add(2), Model: "a"}, {Number: 4, At: at.Add(3)}}
		var got []uint64
		for _, e := range w.of(all) {
			got = append(got, e.Number)
		}
		require.Equal(t, want, got)
	}
	f(wish{}, 1, 2, 3, 4)
	f(wish{model: "a"}, 1, 3)
	f(wish{from: at.Add(2)}, 3, 4)
	f(wish{model: "a", last: 1}, 3)
}

func TestWhatIsAnsweredToChangesThatAreRefused(t *testing.T) {
	f := func(err error, status int, code string) {
		t.Helper()
		var e *openai.Error
		require.ErrorAs(t, invalid(err), &e)
		require.Equal(t, status, e.Status)
		require.Equal(t, code, e.Code)
	}
	f(errors.New("llmModels.m: needs one of command"), 400, "invalid_models")
	f(&modelsfile.Forbidden{What: []string{"m.command"}}, 403, "remote_commands_not_allowed")
	f(unknown("m"), 404, "model_not_found")
}

func TestAsker(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	require.Equal(t, "api", asker(r))
	r.Header.Set(fleet.KeyHeader, "k1")
	require.Equal(t, "api:k1", asker(r))
}
