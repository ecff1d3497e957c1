package gateway

import (
	"context"
	"net"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/reload"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// doorkeeper knows who may ask. Without a file of keys everyone may: nil is their key.
type doorkeeper struct {
	file     *keys.File // nil without one
	watcher  *reload.Watcher
	loopback bool // only programs of this machine can reach the gateway
}

func newDoorkeeper(cfg Config) (*doorkeeper, error) {
	d := &doorkeeper{loopback: onLoopback(cfg.Addr)}
	if cfg.KeysFile == "" {
		return d, nil
	}
	d.file = &keys.File{Path: cfg.KeysFile}
	var err error
	d.watcher, err = reload.New(d.file.Load, cfg.KeysFile)
	return d, err
}

// watch loads the keys anew whenever their file changes, until ctx ends. A file with a fault leaves those in force that are.
func (d *doorkeeper) watch(ctx context.Context, log *zap.Logger, failed func()) {
	if d.file == nil {
		return
	}
	d.watcher.Run(ctx, reload.Every, func(err error) {
		if err != nil {
			failed()
			log.Error("key file refused; the keys before stay in force", zap.Error(err))
			return
		}
		log.Info("key file loaded", zap.String("path", d.file.Path), zap.Int("keys", len(d.file.Ring().Keys())))
	})
}

// identify is step 1: who asks.
func (d *doorkeeper) identify(r *http.Request) (*keys.Key, error) {
	if d.file == nil {
		return nil, nil
	}
	secret := keys.FromHeader(r.Header)
	if secret == "" {
		return nil, unauthorized("missing_api_key", "The request has no API key. Send it as Authorization: Bearer KEY.")
	}
	key, ok := d.file.Ring().Find(secret)
	if !ok {
		return nil, unauthorized("invalid_api_key", "The API key is not known here.")
	}
	if err := key.Check(time.Now()); err != nil {
		return nil, unauthorized("invalid_api_key", "The API key is not in force: "+err.Error()+".")
	}
	return key, nil
}

// permit says whether a key opens a part of the gateway. What belongs to administrators is open to everyone only on a
// machine's own address.
func (d *doorkeeper) permit(key *keys.Key, scope keys.Scope) error {
	switch {
	case key != nil && key.Allows(scope), d.file == nil && (d.loopback || scope == keys.Inference):
		return nil
	case key == nil:
		return forbidden("This is for administrators, and no file of keys says who they are. Set GATEWAY_KEYS_FILE, or let the gateway listen on a loopback address.")
	}
	return forbidden("The API key " + key.ID + " has not the scope " + string(scope) + ".")
}

// crossOrigin finds what a page of another origin makes its visitor's browser send.
var crossOrigin = http.NewCrossOriginProtection()

// permit says whether the request may go to an endpoint.
func (c *call) permit(r *http.Request, at endpoint) error {
	scope := keys.Inference
	if at.control {
		scope = keys.Admin
		if err := crossOrigin.Check(r); err != nil {
			c.reason = reasonAuth
			return forbidden("A page of another origin may not do this.")
		}
	}
	err := c.g.doors.permit(c.key, scope)
	if err != nil {
		c.reason = reasonAuth
	}
	return err
}

// mayUse says whether the request's key is for a model.
func (c *call) mayUse(m *routing.Model) bool { return c.key == nil || c.key.MayUse(m.ID, m.Aliases) }

// visible are the models of which the request's key may know.
func (c *call) visible(t *routing.Table) []*routing.Model {
	if c.key == nil || len(c.key.Models) == 0 {
		return t.Models
	}
	return slices.DeleteFunc(slices.Clone(t.Models), func(m *routing.Model) bool { return !c.mayUse(m) })
}

// administrators guards what is none of the inference paths.
func (g *Gateway) administrators(next http.Handler) http.Handler {
	return web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if g.doors.file != nil {
			key, err := g.doors.identify(r)
			if err != nil {
				return challenge(w, err)
			}
			if err := g.doors.permit(key, keys.Admin); err != nil {
				return err
			}
			web.RecordOf(r.Context()).Add(zap.String("key", key.ID))
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// onLoopback tells an address that only programs of this machine can reach.
func onLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func unauthorized(code, message string) *openai.Error {
	return &openai.Error{Status: http.StatusUnauthorized, Type: openai.TypeInvalidRequest, Code: code, Message: message}
}

func forbidden(message string) *openai.Error {
	return &openai.Error{Status: http.StatusForbidden, Type: openai.TypePermission, Code: "insufficient_scope", Message: message}
}

// challenge tells a client how to identify itself (RFC 9110, section 11.6.1).
func challenge(w http.ResponseWriter, err error) error {
	w.Header().Set("Www-Authenticate", "Bearer")
	return err
}
