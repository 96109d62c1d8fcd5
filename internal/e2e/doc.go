// Package e2e tests the built binary from outside: real processes, files and sockets, as a user meets them.
// Its tests carry the build tag e2e, build the binary themselves, and run by `make e2e`.
package e2e
