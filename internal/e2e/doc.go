// Package e2e tests the built binary from outside: real processes, files and sockets, as a user meets them.
// Its tests carry the build tag e2e, build the binary themselves, and run by `make e2e`. Those that mostly wait for processes run beside each
// other (t.Parallel); those that measure times, load the machine, change the environment or drive a browser for minutes run alone, before them.
package e2e
