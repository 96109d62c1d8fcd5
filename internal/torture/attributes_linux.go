package torture

import "syscall"

// attributes keep a terminal's Ctrl-C from a member and let it end with this process, however this one ends.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
