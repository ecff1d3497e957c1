package dockerproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor/engine"
)

// answer makes the call at the engine and answers with what came of it. An error is the caller's to answer.
func (p *Proxy) answer(ctx context.Context, w http.ResponseWriter, c call) error {
	switch c.verb {
	case ping:
		version, err := p.engine.Ping(ctx)
		if err != nil {
			return err
		}
		w.Header().Set("Api-Version", version)
		_, err = io.WriteString(w, "OK")
		return err
	case list:
		return p.list(ctx, w)
	case inspect:
		found, err := p.engine.Inspect(ctx, c.id)
		return send(w, found, err)
	case start:
		return done(w, p.engine.Start(ctx, c.id))
	case stop:
		return done(w, p.engine.Stop(ctx, c.id, time.Duration(whole(c.query, "t"))*time.Second))
	case kill:
		return done(w, p.engine.Kill(ctx, c.id))
	case wait:
		return p.wait(ctx, w, c.id)
	case logs:
		return p.logs(ctx, w, c)
	}
	return fmt.Errorf("nothing answers %s", c.verb)
}

// list answers with the containers that may be reached, running or not.
func (p *Proxy) list(ctx context.Context, w http.ResponseWriter) error {
	all, err := p.engine.List(ctx)
	ours := slices.DeleteFunc(all, func(c engine.Summary) bool { return !p.marked(c.Labels) })
	return send(w, append([]engine.Summary{}, ours...), err) // none is a list too
}

// wait answers in two parts, as the engine does: that it waits, and how the container ended.
func (p *Proxy) wait(ctx context.Context, w http.ResponseWriter, id string) error {
	code, err := p.engine.Wait(ctx, id, func() error {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		return http.NewResponseController(w).Flush()
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(map[string]int{"StatusCode": code})
}

// logs passes a log on as it comes.
func (p *Proxy) logs(ctx context.Context, w http.ResponseWriter, c call) error {
	log, err := p.engine.Logs(ctx, c.id, engine.Listen{Since: since(c.query), Tail: whole(c.query, "tail"), Follow: c.query.Has("follow")})
	if err != nil {
		return err
	}
	defer log.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.WriteHeader(http.StatusOK)
	out := flushing{w, http.NewResponseController(w)}
	if _, err := out.Write(nil); err != nil { // a server that prints nothing yet has a log too
		return err
	}
	_, err = io.Copy(out, log)
	return err
}

// flushing sends each piece on at once.
type flushing struct {
	io.Writer
	control *http.ResponseController
}

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	if err == nil {
		err = f.control.Flush()
	}
	return n, err
}

// send answers with v. Its type says which fields of the engine's answer pass: an environment and mounts do not.
func send(w http.ResponseWriter, v any, err error) error {
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, v)
}

// done answers a call that returns nothing.
func done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// whole is a parameter that parse has found to be a number; 0 when it was not given.
func whole(query url.Values, name string) int {
	n, _ := strconv.Atoi(query.Get(name))
	return n
}

// since is the time of the parameter of that name.
func since(query url.Values) time.Time {
	seconds, nanos, _ := strings.Cut(query.Get("since"), ".")
	if seconds == "" {
		return time.Time{}
	}
	s, _ := strconv.ParseInt(seconds, 10, 64) // parse has found them to be numbers
	n, _ := strconv.ParseInt((nanos + "000000000")[:9], 10, 64)
	return time.Unix(s, n)
}
