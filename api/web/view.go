package web

// Views are what pages show. Texts are as for people; ids, digests and addresses are complete, and cut by templates.

// Status is the front page.
type Status struct {
	Live
	Members []Member
	Feeds   []FeedLink
	// Witnesses that the network knows, of whom a checkpoint should carry LeastWitnesses.
	Witnesses      []OutsideWitness
	LeastWitnesses uint32
	// WitnessedAt is the height of the newest checkpoint that has what is asked for, 0 if none has; Cosignatures are on it.
	WitnessedAt  int64
	Cosignatures int
}

// OutsideWitness is one by name and verifier key.
type OutsideWitness struct{ Name, Key string }

// Live is the part of the front page that changes by itself.
type Live struct {
	Height int64
	// Time is the newest block's in unix milliseconds, 0 before the first.
	Time                   int64
	PerSecond, FinalityMS  float64
	Transactions           uint64
	PoolUsed, PoolCapacity int
	IndexLag               int64
	Peers                  int
	CatchingUp             bool
	// Private: transactions are not shown to everybody.
	Private bool
	Recent  []Row
}

// Access is the page that says how to read at a node that answers by account.
type Access struct {
	// Node is the node's own address, such as https://node.example.
	Node string
}

// Member is an institution that runs the ledger.
type Member struct {
	Name, Address string
	Power         int64
	// Percent of all voting power, rounded.
	Percent int
	Voids   uint64
	// Misbehaviours is how often its validator provably signed twice, MisbehavedAt the height of the last time.
	Misbehaviours uint64
	MisbehavedAt  int64
	// Self says that this node is theirs.
	Self bool
}

// Row is a transaction in a list.
type Row struct {
	ID, Status string
	Height     int64
	Time       int64
	// Call is the first action's, such as asset.transfer; More is how many actions follow it.
	Call string
	More int
	// What it is about, in a few parts.
	Parts []Value
}

// Transaction is the page of one transaction.
type Transaction struct {
	ID, Status     string
	Height         int64
	Position       uint32
	Seq            uint64
	Time, NotAfter int64
	Once           string
	Work           uint64
	Refusal        *Refusal
	Actions        []Action
	Events         []Action
	Witnesses      []Witness
	Bytes          int
	Erased         bool // by retention: readings and signatures are gone
}

// Refusal is why a transaction failed.
type Refusal struct {
	Code, Message string
	// Action is the number of the refused one, from 1; 0: the whole.
	Action int
	Fields []Field
}

// Action is an action or an event: its name, who acts, and its fields.
type Action struct {
	Name string
	// Actor is empty for events.
	Actor  Value
	Fields []Field
}

// Field is a named value.
type Field struct {
	Name  string
	Value Value
}

// Value is shown by its kind: "address", "id", "digest", "amount", "time", "asset" or "" for text.
type Value struct {
	Kind, Text string
	// Time is set for kind time.
	Time int64
	// Unit is the asset of an amount.
	Unit string
	// Name is the member's whose address it is, if it is one.
	Name string
}

// Witness is a signature's key.
type Witness struct{ Kind, Key, PublicKey string }

// Block is the page of a block.
type Block struct {
	Height                  int64
	Time                    int64
	Hash, AppHash, Proposer string
	ProposerName            string
	Batches                 int
	Transactions            []string
	// Total counts transactions that the page may leave out.
	Total int
	Prev  int64
	// Next is 0 when there is none yet.
	Next int64
}

// Account is the page of an account.
type Account struct {
	Address, Sponsor, SponsorName, Key, KeyKind string
	// Member is the name of the member whose account this is, if it is one.
	Member string
	// Opened says that the account is on the ledger.
	Opened   bool
	OpenedAt int64
	Frozen   bool
	// Freezes are the last ones, the newest first. Recovery is nil for a member, whose account nobody recovers.
	Freezes  []Freeze
	Recovery *Recovery
	// Events are the newest of what was done to the account itself, newest first.
	Events []AccountEvent
	// LockedAt is 0 if the account has not locked itself.
	LockedAt   int64
	LockReason string
	// Rule acts for the account in the place of the key; nil if the key does.
	Rule      *Rule
	Proposals []Proposal
	// Device is what the account is to its maker, nil if it is no device.
	Device *Device
	// Identity is who the account is, what it may issue, and what is attested of it.
	Identity Identity
	// Operates are the feeds that the account has opened.
	Operates []FeedLink
	Balances []Balance
	Recent   []Row
	// Next is the token of the next page of transactions.
	Next string
}

// Device is what the ledger knows of a device.
type Device struct {
	Maker, Model, Title, Serial, Owner, State string
	Firmware, Version, Level                  string
	// Faults are known of the firmware that it has shown last.
	Faults []KnownFault
	// Hardware, HardwareKey and Attester are what the maker says, on which higher levels rest; empty if it does not.
	Hardware, HardwareKey, Attester string
	Boot                            uint64
	LastGoodAt, AskedAt             int64
	LastGood                        string // transaction
	Doubts                          []Doubt
	// Tainted are readings of the times in doubt, Payments those made for some of them, the newest first.
	Tainted  []Tainted
	Payments []Payment
	// Feeds are those it reports to, or did; Gaps the last numbers that never came, of Missing altogether.
	Feeds   []DeviceFeed
	Gaps    []Gap
	Missing uint64
	// Quarantine is what waits of it, in the order of feeds.
	Quarantine []Quarantined
	// Witness is nil when this node has no cosignature by its key.
	Witness *WitnessRecord
}

// WitnessRecord is what a node keeps of a witness: the newest checkpoint that it has cosigned, and of how many that anybody has.
type WitnessRecord struct {
	Name           string
	Height, Time   int64
	Cosigned, Kept int
}

// Doubt is a time in which nothing that a device said may be relied on. Finding is what evidence found, empty when a
// person suspended it.
type Doubt struct {
	Since, Until                            int64
	Finding, Reason, By, Found, Transaction string
}

// Tainted counts readings of a feed.
type Tainted struct {
	Feed                        string
	Accepted, Late, Quarantined uint64
	First, Last                 int64
}

// Payment is what a feed has settled for readings: how many were paid, with how much, and how many forfeited.
type Payment struct {
	Feed            string
	Time            int64
	Paid, Forfeited uint64
	Amount          Value
	Transaction     string
}

// Balance is what an account has of an asset.
type Balance struct{ Asset, Amount, Held string }

// Records is the page of a digest.
type Records struct {
	Digest  string
	Records []Record
}

// Record is one record of a digest.
type Record struct {
	Recorder, RecorderName, Title, Name, MediaType, Size string
	State, Transaction, SupersededBy, WithdrawReason     string
	RecordedAt, ChangedAt                                int64
	Cosigners                                            []Cosigner
}

// Cosigner is an account that signed a record.
type Cosigner struct {
	Account string
	Time    int64
}

// Search is what was found for a text.
type Search struct {
	Query  string
	Recent []Row
	Next   string
}

// Failure is a page for what cannot be shown.
type Failure struct {
	Status        int
	Code, Message string
}
