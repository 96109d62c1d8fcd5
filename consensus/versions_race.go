//go:build race

package consensus

const reuseMemory = false
