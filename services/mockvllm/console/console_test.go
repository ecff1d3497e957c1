//go:build linux

package console_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/console"
)

// TestFullPipe writes more than a pipe takes, in lines short and long. Who waits for its reader must not hold up the runtime.
func TestFullPipe(t *testing.T) {
	for name, flags := range map[string]int{"blocking": 0, "not blocking": unix.O_NONBLOCK} {
		t.Run(name, func(t *testing.T) {
			var fds [2]int
			require.NoError(t, unix.Pipe2(fds[:], unix.O_CLOEXEC|flags))
			r, w := os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
			defer r.Close()
			const lines = 2000
			path := func(i int) string { return fmt.Sprintf("/%d/%s", i, strings.Repeat("x", i%100*60)) }
			go func() {
				defer w.Close()
				log := console.New(w)
				for i := range lines {
					log.Access(&http.Request{RemoteAddr: "127.0.0.1:1", Method: "GET", URL: &url.URL{Path: path(i), RawQuery: "a=b"}, ProtoMajor: 1, ProtoMinor: 1}, 200)
				}
			}()
			const most = 24 << 10 // of the 64 KiB of a pipe, whose pages are not filled to their ends
			for n := 0; n < most; runtime.Gosched() {
				var err error
				n, err = unix.IoctlGetInt(fds[0], unix.TIOCINQ)
				require.NoError(t, err)
			}
			for range 20 {
				runtime.GC() // waits for every goroutine, and lets the log go on meanwhile
			}
			in := bufio.NewScanner(r)
			for i := range lines {
				require.True(t, in.Scan())
				require.Equal(t, fmt.Sprintf(`INFO:     127.0.0.1:1 - "GET %s?a=b HTTP/1.1" 200 OK`, path(i)), in.Text())
			}
			require.False(t, in.Scan())
		})
	}
}
