package follow

import (
	"context"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestWait returns for each thing that may be new, and keeps the connection in use until then.
func TestWait(t *testing.T) {
	never := make(chan struct{})
	closed := make(chan struct{})
	close(closed)
	f := func(name string, changed, also, ending <-chan struct{}, gone bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			if gone {
				leave()
			}
			s, err := New(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil).WithContext(ctx), ending, "something")
			require.NoError(t, err)
			defer s.Close()
			begin := time.Now()
			require.NoError(t, s.Wait(changed, also))
			require.Zero(t, time.Since(begin), name)
			require.Equal(t, gone, s.Gone(), name)
			require.Equal(t, ending == closed, s.Ending(), name)
		})
	}
	f("changed", closed, nil, never, false)
	f("something else changed", never, closed, never, false)
	f("the end", never, nil, closed, false)
	f("the client has left", never, nil, never, true)
}

func TestQuietStreamIsKeptInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := httptest.NewRecorder()
		s, err := New(w, httptest.NewRequest("GET", "/", nil), make(chan struct{}), "something")
		require.NoError(t, err)
		defer s.Close()
		require.Equal(t, ": something\n\n", w.Body.String())
		news := make(chan struct{})
		time.AfterFunc(2*fleet.KeepAlive+time.Second, func() { close(news) })
		require.NoError(t, s.Wait(news, nil))
		require.Equal(t, ": something\n\n: keep-alive\n\n: keep-alive\n\n", w.Body.String())
	})
}
