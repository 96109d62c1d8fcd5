//go:build !linux

package main

import "syscall"

// childAttributes keeps the terminal's Ctrl-C from a member, which is told to stop in order.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
