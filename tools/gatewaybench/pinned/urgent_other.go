//go:build !linux

package pinned

import "errors"

// Urgent fails, as Cores does.
func (p *Process) Urgent(bool) error { return errors.ErrUnsupported }
