//go:build !race

package consensus

// reuseMemory is false under the race detector, which does not see that a reader has ended before the garbage collector finds a tree unread.
const reuseMemory = true
