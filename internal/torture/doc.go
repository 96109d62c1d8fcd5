// Package torture runs networks of real dure processes, does to them what machines and networks do to processes, and
// checks that nothing was lost, doubled or contradicted.
//
// A run is a sequence of rounds. In each, clients write and read through all members; a fault of a seeded schedule
// strikes, lasts and is healed; the time until everything goes on is measured; the load ends, and the round is audited:
//
//   - every acknowledged transaction is in every member's history, once, with the outcome that was answered;
//   - what was refused, or never sent, is in nobody's; what was left undecided is decided the same way by all;
//   - histories, roots and balances are the same at all members, balances follow from the history, the supply is kept;
//   - every balance that a member ever showed is the one of the height it named, a member never goes back, and shows
//     what it acknowledged;
//   - writes, reads at the height of a marker transaction, and races for a once key are linearizable (porcupine);
//   - while no side has more than two thirds of the members, nobody commits; otherwise the network goes on.
//
// A network's members are joined either by proxies in this process, which delay, stall, drop and cut (no root needed),
// or by network namespaces and bridges (root). A failing run names its seed, which repeats the schedule of faults, the
// history of the round and the members' folder.
package torture
