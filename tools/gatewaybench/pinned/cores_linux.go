package pinned

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Cores returns the one of the gateway and that of everything else.
func Cores() (gateway, others int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 0, 0, fmt.Errorf("ask for the cores: %w", err)
	}
	var allowed []int
	for i := range 1024 {
		if set.IsSet(i) {
			allowed = append(allowed, i)
		}
	}
	if len(allowed) < 2 {
		return 0, 0, errors.New("a second core is needed: the gateway has one for itself")
	}
	return allowed[0], allowed[1], nil
}
