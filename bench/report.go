package bench

import "time"

// Report is what a benchmark of payments measured and found. Its JSON names are a format: docs/performance.md is made from it.
type Report struct {
	Measured
	Accounts int `json:"accounts"`
	// Rate asked for, payments a second; 0: as many as the members took.
	Rate float64 `json:"rate,omitempty"`
	// RestartS is how long a member that was killed under load took from its start to the height of the others, in seconds.
	RestartS float64 `json:"restart_s,omitempty"`
	// JoinS is how long a member that joined under load took from its start to the height of the others, in seconds.
	JoinS float64 `json:"join_s,omitempty"`
	// ReceiptBytes is the mean size of the receipts sampled.
	ReceiptBytes int    `json:"receipt_bytes"`
	Checks       Checks `json:"checks"`
	// Keys has a row for each kind of keys, in the order asked for; none where all are Ed25519's.
	Keys []KeysReport `json:"keys,omitempty"`
	// Mix is set where there are several kinds.
	Mix *MixReport `json:"mix,omitempty"`

	ids  []string // of payments to ask receipts for
	seen int
}

// Checks are what must be true after a run.
type Checks struct {
	// SupplyConserved: every account has what its payments left it, and together they have what was issued.
	SupplyConserved bool `json:"supply_conserved"`
	// SameRootEverywhere: all members have the same state and history.
	SameRootEverywhere bool `json:"same_root_everywhere"`
	ReceiptsSampled    int  `json:"receipts_sampled"`
	ReceiptsValid      int  `json:"receipts_valid"`
}

// idEvery bounds the ids kept for receipts: every idEvery-th payment.
const idEvery = 101

// book counts the payments of one call.
func (r *Report) book(part []payment, ok int, sent time.Time, took time.Duration) {
	r.Measured.book(len(part), ok, sent, took)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range part {
		if r.seen++; r.seen%idEvery == 1 {
			r.ids = append(r.ids, part[i].signed.ID)
		}
	}
}

// failed says which checks failed.
func (r *Report) failed() error {
	return failing(
		claim{r.Checks.SupplyConserved, "supply_conserved"}, claim{r.Checks.SameRootEverywhere, "same_root_everywhere"},
		claim{r.Checks.ReceiptsSampled > 0 && r.Checks.ReceiptsValid == r.Checks.ReceiptsSampled, "receipts_valid"},
		claim{r.Committed == r.Offered, "committed: not every payment offered"})
}
