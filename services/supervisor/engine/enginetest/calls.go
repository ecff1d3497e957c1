package enginetest

import (
	"encoding/json"
	"net/http"
	"time"
)

func (e *Engine) list(w http.ResponseWriter) {
	all := []map[string]any{}
	e.Do(func() {
		for _, c := range e.containers {
			state := "exited"
			if c.Running {
				state = "running"
			}
			all = append(all, map[string]any{"Id": c.ID, "Names": []string{"/" + c.Name}, "State": state, "Labels": c.Labels, "Command": "secret"})
		}
	})
	_ = json.NewEncoder(w).Encode(all)
}

func (e *Engine) call(w http.ResponseWriter, r *http.Request, c *Container, verb string) {
	switch verb {
	case "json":
		e.inspect(w, c)
	case "start":
		e.until(r, func() bool { return !c.Slow })
		status := http.StatusNoContent
		e.Do(func() {
			if c.Running {
				status = http.StatusNotModified
				return
			}
			c.Run()
		})
		w.WriteHeader(status)
	case "stop", "kill":
		e.end(w, r, c, verb)
	case "wait":
		var ends, code int
		e.Do(func() { ends = c.ends })
		_ = http.NewResponseController(w).Flush()
		e.until(r, func() bool { return !c.Running || c.ends > ends })
		e.Do(func() { code = c.Code })
		_ = json.NewEncoder(w).Encode(map[string]int{"StatusCode": code})
	case "logs":
		e.logs(w, r, c)
	default:
		fail(w, http.StatusNotFound, "page not found")
	}
}

func (e *Engine) inspect(w http.ResponseWriter, c *Container) {
	var body map[string]any
	e.Do(func() {
		state := map[string]any{"Running": c.Running, "OOMKilled": c.OOM, "ExitCode": c.Code, "StartedAt": c.Began, "FinishedAt": c.Finished}
		if c.Running {
			state["ExitCode"] = 0
		}
		body = map[string]any{"Id": c.ID, "Name": "/" + c.Name, "State": state, "RestartCount": c.Restarts,
			"Config": map[string]any{"Labels": c.Labels, "Tty": c.Tty, "Env": []string{"KEY=secret"}}, "Mounts": []string{"secret"}}
	})
	_ = json.NewEncoder(w).Encode(body)
}

func (e *Engine) end(w http.ResponseWriter, r *http.Request, c *Container, verb string) {
	if verb == "stop" {
		verb += " " + r.URL.RawQuery
	}
	var stuck bool
	e.Do(func() {
		c.Stops = append(c.Stops, verb)
		stuck = c.Stuck
		switch {
		case !c.Running || stuck:
		case verb == "kill" || c.Deaf:
			c.End(137)
		default:
			c.End(0)
		}
	})
	if stuck {
		fail(w, http.StatusInternalServerError, "cannot stop container: tried to kill container, but did not receive an exit event")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (e *Engine) logs(w http.ResponseWriter, r *http.Request, c *Container) {
	var refused bool
	if e.Do(func() { refused = c.NoLog }); refused {
		fail(w, http.StatusNotImplemented, "configured logging driver does not support reading")
		return
	}
	_ = http.NewResponseController(w).Flush()
	sent, begun := 0, time.Time{}
	e.Do(func() { begun = c.Began })
	for over := false; !over; {
		e.until(r, func() bool { return len(c.Log) > sent || !c.Running || !c.Began.Equal(begun) })
		var more []byte
		e.Do(func() {
			over = !c.Running || !c.Began.Equal(begun)
			if c.Began.Equal(begun) {
				more = append(more, c.Log[min(sent, len(c.Log)):]...)
			}
		})
		if r.Context().Err() != nil {
			return
		}
		sent += len(more)
		_, _ = w.Write(more)
		_ = http.NewResponseController(w).Flush()
	}
}

// until waits until the condition holds, or the client leaves.
func (e *Engine) until(r *http.Request, holds func() bool) {
	for {
		e.mu.Lock()
		met, changed := holds(), e.changed
		e.mu.Unlock()
		if met {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}
