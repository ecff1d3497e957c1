package keys

import (
	"errors"
	"slices"
	"time"
)

// Scope is a part of the gateway.
type Scope string

// The scopes. Neither contains the other.
const (
	Inference Scope = "inference" // requests to models, and the list of them
	Admin     Scope = "admin"     // the management API
)

// scopes are all of them.
var scopes = []Scope{Inference, Admin}

// Key is what the holder of a secret may do. Neither the secret nor its hash is part of it, so it can be logged and shown.
type Key struct {
	ID                 string    `json:"id"`
	Scopes             []Scope   `json:"scopes"`
	Models             []string  `json:"models,omitempty"` // ids or aliases; none means all
	Priority           int       `json:"priority,omitempty"`
	RequestsPerMinute  int       `json:"requests_per_minute,omitempty"` // 0 means no limit, and so below
	TokensPerMinute    int       `json:"tokens_per_minute,omitempty"`
	ConcurrentRequests int       `json:"concurrent_requests,omitempty"`
	KeepAlive          bool      `json:"keep_alive,omitempty"` // streams hear comments while they wait
	Expires            time.Time `json:"expires,omitzero"`     // the zero time means never
	Disabled           bool      `json:"disabled,omitempty"`
}

// What makes a key useless. Only who holds its secret is told.
var (
	ErrDisabled = errors.New("it is disabled")
	ErrExpired  = errors.New("it has expired")
)

// Check says whether the key is in force: nil, ErrDisabled or ErrExpired.
func (k *Key) Check(now time.Time) error {
	switch {
	case k.Disabled:
		return ErrDisabled
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return ErrExpired
	}
	return nil
}

// Allows says whether the key is for a part of the gateway.
func (k *Key) Allows(s Scope) bool { return slices.Contains(k.Scopes, s) }

// MayUse says whether the key is for a model, by its id or any of its aliases.
func (k *Key) MayUse(id string, aliases []string) bool {
	if len(k.Models) == 0 || slices.Contains(k.Models, id) {
		return true
	}
	return slices.ContainsFunc(aliases, func(a string) bool { return slices.Contains(k.Models, a) })
}
