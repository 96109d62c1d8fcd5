//go:build !linux

package torture

import "syscall"

// attributes keep a terminal's Ctrl-C from a member.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
