//go:build unix && !linux

package process

import "syscall"

// Only Linux has these two: elsewhere a process that leaves its group, or whose guard was killed, lives on.

func adopt() {}

func diesWithParent(attr *syscall.SysProcAttr) *syscall.SysProcAttr { return attr }

func killGroup(group int) { _ = syscall.Kill(-group, syscall.SIGKILL) }
