package page

// SignIn is the page on which a person uses their passkey. Challenge and RPID are for navigator.credentials.get.
type SignIn struct {
	// Service is who sent the person here; empty: they came by themselves.
	Service string
	// Action is where the answer goes, Register where a new person goes.
	Action, Register string
	Challenge, RPID  string
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

// Register is a step of the registration: phone, phone-code, bank, bank-code, passkey.
type Register struct {
	Step string
	// Number is that of the step, of Steps.
	Number, Steps int
	// What was given before, to be shown or corrected.
	Name, Phone, Bank, BankAccount string
	Banks                          []Bank
	// For navigator.credentials.create.
	Challenge, RPID, UserID, Member string
}

// Me is a person's own page.
type Me struct {
	Account               string
	Name, Phone, BankName string
	Held                  bool
	Services              []Service
	// Log is the newest lines, Earlier those before them.
	Log, Earlier []Line
	// Erase: the page asks whether everything is to be erased.
	Erase bool
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
