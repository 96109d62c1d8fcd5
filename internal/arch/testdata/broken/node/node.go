// Package node reaches past consensus.
package node

import (
	_ "github.com/cometbft/cometbft/p2p" // want `only consensus and client/light may import CometBFT`

	_ "example.com/broken/client"  // want `node may not import client`
	_ "example.com/broken/gen/api" // generated code is for all
)
