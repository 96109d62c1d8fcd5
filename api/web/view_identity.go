package web

// Identity is the part of an account's page that says who it is.
type Identity struct {
	// Organisation is nil for an account that is none and never was.
	Organisation *Organisation
	// Service is nil for an account that has none at which people sign in.
	Service     *Service
	Rights      []Right
	Facts       []Fact
	StatusLists []StatusList
	Consents    []Consent
}

// Organisation is what an account is as one.
type Organisation struct {
	Name, Kind, Contact        string
	AdmittedBy, AdmittedByName string
	SinceAt, DismissedAt       int64
}

// Service is the account's service at which people sign in.
type Service struct {
	NameKo, NameEn, Transaction string
	Redirects, Items            []string
	SetAt                       int64
}

// Right is a right to issue. Why says why it does not hold, empty if it does.
type Right struct {
	Schema, TitleKo, TitleEn, Giver, GiverName, Why string
	SinceAt, EndsAt                                 int64
	Depth                                           uint32
}

// Fact is what is attested of the account. Why says why it does not hold, empty if it does.
type Fact struct {
	Schema, TitleKo, TitleEn, Value, Issuer, IssuerName, Why string
	SinceAt, EndsAt                                          int64
	Transaction                                              string
}

// StatusList is a status list of the account.
type StatusList struct {
	List, Size, Bits    uint32
	OpenedAt, ChangedAt int64
}

// Consent is what the account agreed to.
type Consent struct {
	Recipient, RecipientName, Digest, State string
	GivenAt, EndsAt, WithdrawnAt            int64
	Transaction                             string
}
