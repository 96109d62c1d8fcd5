package web

// FeedLink is a feed in a list.
type FeedLink struct {
	Feed, Title, Unit string
	Devices           uint32
	Closed            bool
}

// Feed is the page of a feed. Numbers are in its unit, as text.
type Feed struct {
	FeedLink
	Operator              Value
	OpenedAt, ClosedAt    int64
	Least, Most           string
	MaxRate, MaxDeviation string // empty: any
	MinSources            uint32
	MinLevel              string // empty: any
	// Stale, Late, Ahead, Appeal, Dispute and Every are spans such as 1h30m.
	Stale, Late, Ahead, Appeal, Dispute, Every string
	// Premium is empty if nothing is paid.
	Premium, Funds Value
	Confirmed      bool
	Value          FeedValue
	Sources        []FeedSource
	Quarantine     []Quarantined
	Recent         []Reading
	// Next is the token of the next page of readings.
	Next string
	// ErasedUntil is when the last reading was anchored that is not listed because its transaction had been erased; 0: none.
	ErasedUntil int64
}

// FeedValue is what a feed says now. Code is why it says nothing, and Message the ledger's words for that.
type FeedValue struct {
	At            int64
	Value         string
	Code, Message string
	Counted       int
	Level         string
}

// FeedSource is a device that reports to a feed, or did. LeftOut is why it does not count now, as a code, or none when nothing came yet; Finding
// is what its evidence found, when that is why, and else Doubt says why.
type FeedSource struct {
	Device, Serial, Value                    string
	Taken                                    int64
	Age                                      string
	Firmware, Level, LeftOut, Doubt, Finding string
	Accepted, Late, Quarantined, Refused     uint64
	Due, Paid, Forfeited, Missing            uint64
}

// Quarantined is a reading that waits for the operator.
type Quarantined struct {
	Feed               FeedLink // on the page of a device
	Device, Serial     string
	Value, Reason      string
	Boot, Sequence     uint64
	Taken, Deadline    int64
	AppealedBy, Appeal string
}

// Reading is a reading in a list. Verdict and Reason are codes.
type Reading struct {
	Device, Serial               string
	Value, Verdict, Reason       string
	Boot, Sequence               uint64
	Taken                        int64
	Firmware, Doubt, Transaction string
	Confirmed                    bool
}

// DeviceFeed is a feed on the page of a device.
type DeviceFeed struct {
	FeedLink
	Value                                string
	Taken                                int64
	Accepted, Late, Quarantined, Refused uint64
	Due, Paid, Forfeited                 uint64
	Dismissed                            bool
}

// Gap is numbers of one start that never came.
type Gap struct {
	Boot, First, Last uint64
	SeenAt            int64
}
