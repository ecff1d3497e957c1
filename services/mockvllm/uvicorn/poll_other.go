//go:build !linux

package uvicorn

// poller is for Linux alone. Elsewhere a goroutine reads ahead.
type poller struct{}

func (*poller) add(*conn)    {}
func (*poller) remove(*conn) {}
func (*poller) close()       {}

func (*conn) unreadBytes() int { return 0 }
func (*conn) halfClosed() bool { return false }
