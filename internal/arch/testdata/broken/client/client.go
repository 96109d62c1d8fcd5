// Package client does things when imported.
package client

import _ "github.com/cometbft/cometbft/light" // want `may import CometBFT`

func init() {} // want `no init functions`

func parse(raw []byte) []byte { return raw }
