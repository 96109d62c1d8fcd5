package main

import (
	"context"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/bench"
	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/node"
)

// benchJoin takes one more member into a benchmark's network.
type benchJoin struct {
	dir     string
	keys    []tx.Signer
	network *bench.Network
	members *processes
	flags   []string
}

// join makes a member's home, has it voted in without power, and starts it. The function it returns has its power voted.
func (j *benchJoin) join(ctx context.Context) (string, func(context.Context) error, error) {
	ports, err := freePorts(2)
	if err != nil {
		return "", nil, err
	}
	_, seat, err := benchSeat(j.dir, len(j.keys), ports)
	if err != nil {
		return "", nil, err
	}
	peers, err := node.Load(j.members.all[0].home.Config(), noEnv, nil) // member 1 knows the others
	if err != nil {
		return "", nil, err
	}
	config, err := node.Load("", noEnv, map[string]string{"member": seat.Address.String(), "api.listen": seat.API, "p2p.listen": seat.P2P})
	if err != nil {
		return "", nil, err
	}
	config.P2PPeers = peers.P2PPeers
	card, err := seat.Home.Create(seat.Name, seat.Address[:], 0, nil, config)
	if err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(seat.Home.Genesis(), j.network.Genesis, 0o644); err != nil { // public
		return "", nil, err
	}
	if err := j.vote(ctx, &networkv1.Change{Kind: &networkv1.Change_AddMember{AddMember: card}}); err != nil {
		return "", nil, err
	}
	j.members.add(seat.Name, seat.Home, config, append([]string{"--index=false"}, j.flags...)...)
	return "http://" + seat.API, func(ctx context.Context) error {
		return j.vote(ctx, &networkv1.Change{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: seat.Address[:], Power: 10}}})
	}, j.members.start(len(j.keys))
}

// vote proposes a change by the first member and has as many others vote for it as it takes.
func (j *benchJoin) vote(ctx context.Context, change *networkv1.Change) error {
	c, err := client.Dial(client.Config{Addresses: j.network.APIs})
	if err != nil {
		return err
	}
	id, err := c.Network(ctx)
	if err != nil {
		return err
	}
	o, err := act(ctx, c, client.NewTransaction(id).Propose(j.keys[0].Key().Address(), change), j.keys[0])
	if err != nil {
		return err
	}
	proposal, _ := proposalOf(o)
	group, ctx := errgroup.WithContext(ctx)
	for _, key := range j.keys[1 : 2*len(j.keys)/3+1] {
		group.Go(func() error {
			_, err := act(ctx, c, client.NewTransaction(id).Vote(key.Key().Address(), proposal), key)
			return err
		})
	}
	return group.Wait()
}

func act(ctx context.Context, c *client.Client, draft *client.Draft, keys ...tx.Signer) (*apiv1.Outcome, error) {
	o, err := c.Do(ctx, draft, keys...)
	if err != nil {
		return nil, err
	}
	return o, client.Check(o)
}
