package consensus

import "time"

// Members are not level: one that executes a block for longer begins the next height later, and if it proposes then the others wait for its proposal already. Under full
// load, with blocks of thousands of payments, that is a second and more, and a proposal that comes too late is made, sent and checked once more. So who took long
// over a block waits so much longer for the next proposal; where there is little to do a member that is down costs leastPatience at each of its turns.
const (
	leastPatience = time.Second
	mostPatience  = 3 * time.Second // CometBFT's own default
)

// patience is how long to wait for a proposal when executing and saving the block before took so long.
func patience(took time.Duration) time.Duration { return min(leastPatience+took, mostPatience) }
