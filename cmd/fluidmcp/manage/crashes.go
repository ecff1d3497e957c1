package manage

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// printCrashes shows the failures, the oldest first, as logs are read.
func (o *logsOptions) printCrashes(ctx context.Context, path string, w io.Writer) error {
	query := ""
	if o.instance != "" {
		query = "?" + url.Values{"instance": {o.instance}}.Encode()
	}
	body, err := o.gateway.Call(ctx, http.MethodGet, path+"/crashes"+query)
	if err != nil {
		return err
	}
	if o.asJSON {
		_, err := w.Write(body)
		return err
	}
	var report struct {
		Crashes []struct {
			Instance, Signal, Reason, Message string
			At                                time.Time
			Code                              int
			Lines                             []string
		}
	}
	if err := json.Unmarshal(body, &report); err != nil {
		return fmt.Errorf("decode the crashes: %w", err)
	}
	if len(report.Crashes) == 0 {
		_, err := fmt.Fprintln(w, "No server of this model has failed.")
		return err
	}
	for i := len(report.Crashes) - 1; i >= 0; i-- {
		c := report.Crashes[i]
		end := "exit code " + strconv.Itoa(c.Code)
		if c.Signal != "" {
			end = "signal " + c.Signal
		}
		lines := c.Lines[max(0, len(c.Lines)-o.lines):]
		if _, err := fmt.Fprintf(w, "==> %s failed at %s: %s, %s: %s <==\n%s\n\n", c.Instance, c.At.Local().Format(time.DateTime), c.Reason, end,
			cmp.Or(c.Message, "no reason known"), strings.Join(lines, "\n")); err != nil {
			return err
		}
	}
	return nil
}
