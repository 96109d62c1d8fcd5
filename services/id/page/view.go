package page

// SignIn is the page on which a person uses their passkey. Challenge and RPID are for navigator.credentials.get.
type SignIn struct {
	// Service is who sent the person here; empty: they came by themselves.
	Service string
	// Action is where the answer goes, Register where a new person goes, Recover who has lost every key.
	Action, Register, Recover string
	Challenge, RPID           string
	// Refuse: there is a service to go back to.
	Refuse bool
}

// Item is something that a service asks for.
type Item struct {
	ID, Value string
	// Held: this member can give it. Agreed: it was before.
	Held, Agreed bool
}

// Consent is the page on which a person agrees or refuses, item by item.
type Consent struct {
	Service string
	Action  string
	Account string
	Items   []Item
	// Missing: an item is not held, so the person may want to prove themselves here, at Prove.
	Missing bool
	Prove   string
	// Public: the service learns the account as the person's number. Otherwise it gets one that only it has.
	Public bool
	// Organisation set the service on the ledger; empty: it is in the member's settings. Host is the address to which the person goes back.
	Organisation, Host string
}

// Bank is a bank that a person may choose.
type Bank struct{ Code, Name string }

// Register is a step of the registration: phone, phone-code, bank, bank-code, passkey. Its forms go to Action.
type Register struct {
	Action, Step string
	// Number is that of the step, of Steps.
	Number, Steps int
	// What was given before, to be shown or corrected.
	Name, Phone, Bank, BankAccount string
	Banks                          []Bank
	// For navigator.credentials.create.
	Challenge, RPID, UserID, Member string
}

// Recover is a step of a recovery: those of a registration, then sign and wait.
type Recover struct {
	Register
	// Choices are the accounts of who proved what this person did.
	Choices []Choice
	// Account is the one that is recovered, Sign where its new passkey signs that.
	Account, Sign string
	// ReadyAt is until when its present keys may object, LapsesAt when it is over; 0: not known yet. Ready: nobody may object any more.
	ReadyAt, LapsesAt int64
	Ready             bool
}

// Choice is an account that may be recovered, unless Refusal says why not.
type Choice struct {
	Account, UserID string
	// Hours that its present keys may object.
	Hours   int
	Refusal string
}

// Me is a person's own page.
type Me struct {
	Account string
	Keys    []Key
	// Wallet is the page at which keys are added and recoveries objected to; empty: the network names none.
	Wallet string
	// Recovery: somebody brings the account another key, which is Ready or can be objected to until ReadyAt; 0: too few have agreed yet.
	Recovery bool
	Ready    bool
	ReadyAt  int64

	Name, Phone, BankName string
	Held                  bool
	Services              []Service
	// Log is the newest lines, Earlier those before them.
	Log, Earlier []Line
	// Erase: the page asks whether everything is to be erased.
	Erase bool
}

// Key is one that acts for a person's account.
type Key struct {
	// Kind is the ledger's name of it, such as webauthn.
	Kind, Address string
	// Here: it is the one that signed in. UsedAt is when it last did so here; 0: never.
	Here   bool
	UsedAt int64
}

// Service is one that a person agreed with.
type Service struct {
	ID, Name        string
	Agreed, Refused []string
	At              int64
	Receipt         Receipt
}

// Receipt is what the ledger says of a consent; without a transaction nothing yet. Link is the node's page of it, empty if there is none to go to.
type Receipt struct {
	Transaction, Link string
	Height, At        int64
}

// Line is one of the log.
type Line struct {
	What, Service string
	Items         []string
	At            int64
}

// Message is a page with one thing to say: a key of the texts, and perhaps where to go on.
type Message struct{ Text, Next, NextText string }

// SignOut is the page on which a person says that they want to sign out.
type SignOut struct{ Action string }
