package mqtt

import (
	"strings"

	"github.com/dureledger/dure/ledger/tx"
)

// The last parts of a device's topics.
const (
	topicReading   = "reading"
	topicTx        = "tx"
	topicOutcome   = "outcome"
	topicChallenge = "challenge"
	topicCommand   = "command"
)

const topicPrefix = "dure/1/"

// Topic is a device's topic: reading, tx, outcome, challenge or command.
func Topic(device tx.Address, what string) string { return topicPrefix + device.String() + "/" + what }

// own is the last part of a topic or filter if it is the device's, written as Topic does, else "".
func own(device, topic string) string {
	what, ok := strings.CutPrefix(topic, topicPrefix+device+"/")
	if !ok {
		return ""
	}
	switch what {
	case topicReading, topicTx, topicOutcome, topicChallenge, topicCommand:
		return what
	}
	return ""
}
