package client_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/manage/client"
)

// wedged takes requests and answers none.
type wedged struct{}

func (wedged) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestGatewayThatHangs(t *testing.T) {
	before := http.DefaultClient.Transport
	defer func() { http.DefaultClient.Transport = before }()
	http.DefaultClient.Transport = wedged{}
	var g client.Gateway
	g.AddFlag(&cobra.Command{})
	synctest.Test(t, func(t *testing.T) {
		_, err := g.Call(t.Context(), http.MethodGet, "models")
		require.EqualError(t, err, "http://localhost:8099 has not answered within 1m0s: it hangs, or something between does; its log may say more")
	})
}
