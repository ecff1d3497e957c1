// Package drain waits for the requests that a server has in flight before it is ended, and knows how long that may take.
package drain
