package main

import "syscall"

// childAttributes keeps the terminal's Ctrl-C from a member, which is told to stop in order, and ends it should this
// process be killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
