// Package arch keeps the house in order: rules about folders, imports and purity that a test enforces.
//
// The rules are those of docs/map.md and CONTRIBUTING.md:
//
//   - imports: who may import whom; only consensus and client/light know CometBFT;
//   - purity: ledger and modules know no clock, chance, goroutine, float, map order, network or file;
//   - reading: every package says what it is for, files stay short, nothing is left half done;
//   - decoding: what decodes outside bytes is fuzzed, and every fuzz target has a seed.
//
// A rule is a function from a parsed source tree to problems. The trees under testdata break every rule on purpose,
// so that a rule which stops seeing is noticed.
package arch
