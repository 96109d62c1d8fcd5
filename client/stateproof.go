package client

import (
	"context"

	"github.com/dureledger/dure/client/light"
)

// StateProof asks for a proof of what is under a raw state key, or that nothing is, to be kept and verified by light.Anchor.VerifyStateProof. It does not verify: see ProveState.
func (c *Client) StateProof(ctx context.Context, key []byte) (light.StateProof, error) {
	return c.stateProof(ctx, key)
}
