package probe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// turnTimeout bounds falling asleep and waking up: the weights of a large model are copied to main memory, or back.
const turnTimeout = 2 * time.Minute

// Sleep puts the server to sleep: its weights go to main memory, its KV cache is given up, and it answers no request until Wake.
// vLLM has this at POST /sleep, when it was started with --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1; it is still healthy then.
func (t Target) Sleep(ctx context.Context) error { return t.post(ctx, "/sleep?level=1") }

// Wake ends Sleep. The server answers requests again when it returns.
func (t Target) Wake(ctx context.Context) error { return t.post(ctx, "/wake_up") }

func (t Target) post(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	resp, err := t.ask(ctx, http.MethodPost, path)
	if err != nil {
		return plain(err, turnTimeout)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // it only adds to the status
	return fmt.Errorf("POST %s answered %d %s", path, resp.StatusCode, strings.TrimSpace(http.StatusText(resp.StatusCode)+" "+string(said)))
}
