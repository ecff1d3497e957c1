//go:build linux

package hangup_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/hangup"
)

// told is a Conn that says how it was told.
type told chan bool

func (t told) HungUp(reset bool) { t <- reset }

// pair is a connection that is watched, with its id, and the client's end of it.
func pair(t *testing.T, w *hangup.Watch, c hangup.Conn) (id int32, client *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	dialed, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = dialed.Close() })
	accepted, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = accepted.Close() })
	raw, err := accepted.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	return w.Add(raw, c), dialed.(*net.TCPConn)
}

func TestHungUp(t *testing.T) {
	tests := []struct {
		name  string
		leave func(*net.TCPConn) error
		reset bool
	}{
		{"half closed", (*net.TCPConn).CloseWrite, false},
		{"closed", (*net.TCPConn).Close, false},
		{"reset", func(c *net.TCPConn) error { _ = c.SetLinger(0); return c.Close() }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w hangup.Watch
			defer w.Close()
			gone, stays := make(told, 1), make(told, 1)
			id, client := pair(t, &w, gone)
			require.NotZero(t, id)
			_, other := pair(t, &w, stays)
			_, err := client.Write([]byte("what comes before is nobody's end"))
			require.NoError(t, err)
			require.NoError(t, tt.leave(client))
			require.Equal(t, tt.reset, <-gone)
			require.Empty(t, stays)
			require.NoError(t, other.CloseWrite())
			require.False(t, <-stays)
		})
	}
}

// What was removed is not told, though the kernel still tells of it.
func TestRemove(t *testing.T) {
	var w hangup.Watch
	defer w.Close()
	removed, other := make(told, 1), make(told, 1)
	id, first := pair(t, &w, removed)
	_, second := pair(t, &w, other)
	w.Remove(id)
	w.Remove(0)
	require.NoError(t, first.CloseWrite())
	require.NoError(t, second.CloseWrite())
	<-other // events come in order
	require.Empty(t, removed)
}

func TestClose(t *testing.T) {
	var unused, w hangup.Watch
	require.NoError(t, unused.Close())
	_, client := pair(t, &w, make(told, 1))
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	require.NoError(t, client.Close())
	id, _ := pair(t, &w, make(told, 1))
	require.Zero(t, id, "nothing is watched any more")
}
