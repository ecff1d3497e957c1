//go:build !linux

package uvicorn

func (*conn) unreadBytes() int { return 0 }
func (*conn) halfClosed() bool { return false }
