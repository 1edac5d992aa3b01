//go:build unix && !linux

package child

import "syscall"

// Only Linux can tell a child of its parent's death.
func signalOnParentDeath(*syscall.SysProcAttr, syscall.Signal) {}
