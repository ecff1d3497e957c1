//go:build !linux

package guide

import (
	"errors"
	"os/exec"
)

// Network is a loopback of its own, which only Linux has.
type Network struct{}

// NewNetwork tells that there is none.
func NewNetwork() (*Network, error) { return nil, errors.ErrUnsupported }

func (n *Network) start(cmd *exec.Cmd) error { return cmd.Start() }

// Forward cannot be reached.
func (n *Network) Forward(int, string) (func(), error) { return nil, errors.ErrUnsupported }

// Close does nothing.
func (n *Network) Close() error { return nil }
