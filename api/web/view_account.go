package web

// Freeze is a freeze of an account or the renewal of one.
type Freeze struct {
	By, ByName string
	// Basis is a ground such as court_order.
	Basis, Reason, Digest string
	OrderedAt, EndsAt     int64
	// EndedAt is when it was lifted or renewed before EndsAt, 0 if it was not.
	EndedAt          int64
	Renewal, InForce bool
	Appeal           *Appeal
}

// Appeal is what the owner says against a freeze, and the sponsor's answer; AnsweredAt is 0 while there is none.
type Appeal struct {
	Text, Digest         string
	FiledAt              int64
	Answer, AnswerDigest string
	AnsweredAt           int64
}

// RecoveryRules say who may bring a new key to an account.
type RecoveryRules struct {
	Guardians []string
	Threshold uint32
	// Wait is such as 72h0m0s.
	Wait    string
	Sponsor bool
}

// Recovery is who may bring a new key to an account, and what waits.
type Recovery struct {
	Rules RecoveryRules
	// Next is nil if no other rules wait.
	Next   *RecoveryRules
	NextAt int64
	// Key is the new key's address, empty if no recovery waits.
	Key, BegunBy      string
	BySponsor         bool
	Agreed            []string
	BegunAt, LapsesAt int64
	// ReadyAt is 0 while too few have agreed.
	ReadyAt int64
}

// AccountEvent is something that was done to an account itself.
type AccountEvent struct {
	Name, Transaction string
	Time              int64
}
