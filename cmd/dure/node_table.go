package main

// nodeCommands run a node.
var nodeCommands = []newCommand{newUp, newInit, newGenesis, newJoin, newStart, newSigner, newBackup, newRestore}
