// Package hangup tells a server which of its clients have stopped sending: they closed their side, or the connection was reset.
//
// net/http keeps a goroutine in a read of each connection that has a request, to notice this. A Watch asks the kernel: one epoll
// knows all connections, and is itself waited for by Go's poller, so that a connection costs one system call when it is added,
// one entry, and nothing per request. Linux alone has it; elsewhere no connection can be watched.
package hangup
