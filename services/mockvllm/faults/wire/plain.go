package wire

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// plain sends the body of a plain answer.
func (a *Answer) plain(p []byte) error {
	a.wrote = true
	if death := a.do.Death(); death != "" {
		a.means.Die(death)
		a.means.Dead(a.w)
		return nil
	}
	half := len(p) / 2
	if a.do.Malformed != nil {
		p = p[:half]
		a.Header().Set("Content-Length", strconv.Itoa(half))
		half /= 2
	}
	if a.do.WrongLength != 0 {
		return a.wrong(p)
	}
	a.w.WriteHeader(a.status)
	if a.do.Stall == nil && a.do.Cut == nil && a.do.Reset == nil {
		return a.send(p)
	}
	if err := a.send(p[:half]); err != nil {
		return err
	}
	if a.do.Stall != nil {
		if err := a.stall(); err != nil {
			return err
		}
	}
	if a.do.Cut != nil || a.do.Reset != nil {
		return a.end(a.do.Reset != nil)
	}
	return a.send(p[half:])
}

// wrong writes a whole answer with a content length that is not its own, which no HTTP server would do.
func (a *Answer) wrong(p []byte) error {
	a.broken = true
	conn, buf, err := a.rc.Hijack()
	if err != nil {
		return errors.Join(ErrBroken, err)
	}
	h := a.Header().Clone()
	h.Set("Content-Length", strconv.Itoa(max(0, len(p)+a.do.WrongLength)))
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	_, _ = buf.WriteString("HTTP/1.1 " + strconv.Itoa(a.status) + " " + http.StatusText(a.status) + "\r\n")
	_ = h.Write(buf)
	_, _ = buf.WriteString("\r\n")
	_, _ = buf.Write(p)
	return errors.Join(ErrBroken, buf.Flush(), conn.Close()) // Flush tells of the writes before it
}
