// Package consensus orders transactions among the members and hands decided blocks to the ledger.
//
// A client's transactions enter the Pool: they are decoded, checked against the newest state, their signatures are
// verified in batches across cores, and what is good is sealed: a Batch of up to 1,000 transactions with a header
// signed by the member's node key. Batches travel by our own Reactor (pushed once to every peer, announced again while
// they wait, fetched by whoever missed them), are verified once by each member, and enter CometBFT's list mempool, so
// that one CometBFT transaction is one batch. Engine runs CometBFT in this process; app is its ABCI side. A decided
// block is executed, saved by the Store, and only then answered to those who wait.
//
// This package and client/light are the only importers of CometBFT.
package consensus
