// Package e2e tests the built binary from outside: real processes, files and sockets, as a user meets them.
// Its tests carry the build tag e2e and run by `make e2e`, after the binary is built into bin/.
package e2e
