package web

// Model is the page of a model: its firmware, and its devices that are not revoked.
type Model struct {
	Maker, Model, Title string
	// Devices of the model, of which so many run the newest firmware that is not withdrawn, are suspended, have open commands, and have
	// quarantined readings that wait. More: there are more than were counted.
	Devices, Newest, Suspended, Commanded int
	More                                  bool
	Firmware                              []ModelFirmware
	List                                  []ModelDevice
	// Next is the token of the next page of devices.
	Next string
}

// ModelFirmware is a firmware of a model and how many devices run it.
type ModelFirmware struct {
	Number          uint64
	Version, Digest string
	Follows         uint64
	Devices         int
	RegisteredAt    int64
	Withdrawn       string
	Faults          []KnownFault
}

// KnownFault is what a maker has made known of a firmware; FixedIn is the number of the first firmware without it, 0 if there is none yet.
type KnownFault struct {
	ID, Text string
	FixedIn  uint64
	KnownAt  int64
}

// ModelDevice is a device in the list of its model.
type ModelDevice struct {
	Device, Serial, Owner, State string
	Firmware                     uint64
	Version, Level               string
	LastGoodAt                   int64
	LastGood                     string
	// Why it is suspended, in the words of who did, empty if its evidence did: then Finding says what that found.
	Why, Finding string
	Commands     []ModelCommand
	Feeds        []FeedLink
	Quarantined  uint64
}

// ModelCommand is the newest commands of a device. State is "open", "expired", "done" or "failed".
type ModelCommand struct {
	Kind, State, Note string
	ExpiresAt         int64
	Transaction       string
}
