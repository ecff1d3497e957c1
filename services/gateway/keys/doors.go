package keys

import (
	"context"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/reload"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

// Doors knows who may ask. Without a file of keys everyone may: nil is their key.
type Doors struct {
	file     *File // nil without one
	watcher  *reload.Watcher
	loopback bool // only programs of this machine can reach the gateway
	log      *zap.Logger
	strange  undeclared
}

// NewDoors reads a file of keys, "" for none. loopback says that only programs of this machine can come.
func NewDoors(path string, loopback bool, log *zap.Logger) (*Doors, error) {
	d := &Doors{loopback: loopback, log: log}
	if path == "" {
		return d, nil
	}
	d.file = &File{Path: path}
	var err error
	d.watcher, err = reload.New(d.file.Load, path)
	return d, err
}

// Locked tells that not everyone may ask.
func (d *Doors) Locked() bool { return d.file != nil }

// Watch loads the keys anew whenever their file changes, until ctx ends. A file with a fault leaves those in force that are.
func (d *Doors) Watch(ctx context.Context, failed func()) {
	if d.file == nil {
		return
	}
	d.watcher.Run(ctx, reload.Every, func(err error) {
		if err != nil {
			failed()
			d.log.Error("key file refused; the keys before stay in force", zap.Error(err))
			return
		}
		d.log.Info("key file loaded", zap.String("path", d.file.Path), zap.Int("keys", len(d.file.Ring().Keys())))
		d.strange.tell(d.log, d.file.Ring())
	})
}

// Declared is told which models there are, whenever that changes.
func (d *Doors) Declared(models []fleet.Model) {
	if d.file == nil {
		return
	}
	d.strange.declare(models)
	d.strange.tell(d.log, d.file.Ring())
}

// Identify says who asks, now: nil, where everyone may. The error is for the client, an *openai.Error.
func (d *Doors) Identify(r *http.Request, now time.Time) (*Key, error) {
	if d.file == nil {
		return nil, nil
	}
	secret := FromHeader(r.Header)
	if secret == "" {
		return nil, unauthorized("missing_api_key", "The request has no API key. Send it as Authorization: Bearer KEY.")
	}
	key, ok := d.file.Ring().Find(secret)
	if !ok {
		return nil, unauthorized("invalid_api_key", "The API key is not known here.")
	}
	if err := key.Check(now); err != nil {
		return nil, unauthorized("invalid_api_key", "The API key is not in force: "+err.Error()+".")
	}
	return key, nil
}

// OwnHost refuses, without keys on a loopback address, a request whose host is not this machine.
func (d *Doors) OwnHost(r *http.Request) error {
	if d.file == nil && d.loopback {
		return web.OwnHost(r)
	}
	return nil
}

// Permit says whether a key opens a part of the gateway. What belongs to administrators is open to everyone only on a
// machine's own address.
func (d *Doors) Permit(key *Key, scope Scope) error {
	switch {
	case key != nil && key.Allows(scope), d.file == nil && (d.loopback || scope == Inference):
		return nil
	case key == nil:
		return forbidden("This is for administrators, and no file of keys says who they are. Set GATEWAY_KEYS_FILE, or let the gateway listen on a loopback address.")
	}
	return forbidden("The API key " + key.ID + " has not the scope " + string(scope) + ".")
}

func unauthorized(code, message string) *openai.Error {
	return &openai.Error{Status: http.StatusUnauthorized, Type: openai.TypeInvalidRequest, Code: code, Message: message}
}

func forbidden(message string) *openai.Error {
	return &openai.Error{Status: http.StatusForbidden, Type: openai.TypePermission, Code: "insufficient_scope", Message: message}
}

// Challenge tells a client how to identify itself (RFC 9110, section 11.6.1).
func Challenge(w http.ResponseWriter, err error) error {
	w.Header().Set("Www-Authenticate", "Bearer")
	return err
}
