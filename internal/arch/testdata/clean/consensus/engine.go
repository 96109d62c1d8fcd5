// Package consensus may know CometBFT. It does not compile here; only its imports are read.
package consensus

import _ "github.com/cometbft/cometbft/abci/types"
