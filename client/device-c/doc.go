// Package devicec tests the C library for devices in this folder against the Go code that defines the formats: the same vectors, the same
// refusals of broken files, the same bytes signed. There is nothing here for programs in Go; README.md is for firmware engineers.
package devicec
