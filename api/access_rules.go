package api

import (
	"context"

	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	"github.com/dureledger/dure/ledger/fault"
)

// who is how much an account must be to use a procedure.
type who int

const (
	// members: accounts of members only, and those that read everything as these do. It is the rule of a procedure that has none.
	members who = iota
	// everybody, without a token.
	everybody
	// accounts: any account that acts and is not frozen, about what concerns it.
	accounts
)

// rule says who may use a procedure of a node in consortium mode and, of an account that is no member's, for what.
type rule struct {
	who who
	// ask looks at the request; it may narrow it to what concerns the reader.
	ask func(context.Context, *asker, any) error
	// answer looks at the response or at one message of a stream, and takes out what does not concern the reader.
	answer func(*asker, any) error
}

var (
	open      = rule{who: everybody}
	forAll    = rule{who: accounts}
	forMember = rule{who: members}
)

// own is a rule for accounts that looks at each request.
func own[Req any](ask func(context.Context, *asker, *Req) error) rule {
	return rule{who: accounts, ask: func(ctx context.Context, a *asker, m any) error {
		req, ok := m.(*Req)
		if !ok {
			return notYours(a, "this")
		}
		return ask(ctx, a, req)
	}}
}

// showing adds what looks at each response.
func showing[Res any](r rule, answer func(*asker, *Res) error) rule {
	r.answer = func(a *asker, m any) error {
		res, ok := m.(*Res)
		if !ok {
			return notYours(a, "this")
		}
		return answer(a, res)
	}
	return r
}

// rules is every procedure with its rule. TestEveryProcedureHasARule fails when one is missing, which then is for members only.
var rules = map[string]rule{
	apiv1connect.LedgerServiceSubmitProcedure:            open,
	apiv1connect.LedgerServiceSubmitManyProcedure:        open,
	apiv1connect.LedgerServiceGetStatusProcedure:         open,
	apiv1connect.LedgerServiceGetCheckpointProcedure:     open,
	apiv1connect.LedgerServiceAddCosignatureProcedure:    open,
	apiv1connect.LedgerServiceGetTransactionProcedure:    showing(own(ownTransaction), showTransaction),
	apiv1connect.LedgerServiceListTransactionsProcedure:  showing(own(ownTransactions), showTransactions),
	apiv1connect.LedgerServiceWatchTransactionsProcedure: showing(own(ownWatch), showWatched),
	apiv1connect.LedgerServiceGetReceiptProcedure:        own(ownReceipt),
	apiv1connect.LedgerServiceGetBlockProcedure:          forMember,
	apiv1connect.LedgerServiceGetStateProofProcedure:     showing(own(ownProof), showProof),

	apiv1connect.AccountServiceGetAccountProcedure:           own(ownAccount),
	apiv1connect.AccountServiceListAccountsProcedure:         forMember,
	apiv1connect.AccountServiceListAccountEventsProcedure:    own(ownEvents),
	apiv1connect.AccountServiceListAccountProposalsProcedure: own(ownProposals),

	apiv1connect.AssetServiceGetAssetProcedure:     forAll,
	apiv1connect.AssetServiceListAssetsProcedure:   forAll,
	apiv1connect.AssetServiceGetBalanceProcedure:   own(ownBalance),
	apiv1connect.AssetServiceListBalancesProcedure: own(ownBalances),
	apiv1connect.AssetServiceGetHoldProcedure:      own(ownHold),
	apiv1connect.AssetServiceListHoldsProcedure:    own(ownHolds),

	apiv1connect.RecordServiceGetRecordsProcedure:  showing(forAll, showRecords),
	apiv1connect.RecordServiceListRecordsProcedure: own(ownRecords),

	apiv1connect.DeviceServiceGetDeviceProcedure:   own(ownDevice),
	apiv1connect.DeviceServiceListDevicesProcedure: own(ownDevices),
	apiv1connect.DeviceServiceGetModelProcedure:    forAll,
	apiv1connect.DeviceServiceRelyProcedure:        own(ownRely),

	apiv1connect.StreamServiceGetFeedProcedure:         own(ownFeed),
	apiv1connect.StreamServiceListFeedsProcedure:       own(ownFeeds),
	apiv1connect.StreamServiceValueProcedure:           own(ownValue),
	apiv1connect.StreamServiceListReadingsProcedure:    own(ownReadings),
	apiv1connect.StreamServiceGetReadingProcedure:      own(ownReading),
	apiv1connect.StreamServiceListSettlementsProcedure: own(ownSettlements),
	apiv1connect.StreamServiceTaintProcedure:           own(ownTaint),

	// Who is entitled to say what is for every verifier to know, and so is the status of credentials; of whom it was said is not.
	apiv1connect.IdentityServiceGetOrganisationProcedure:     forAll,
	apiv1connect.IdentityServiceListOrganisationsProcedure:   forAll,
	apiv1connect.IdentityServiceGetSchemaProcedure:           forAll,
	apiv1connect.IdentityServiceListSchemasProcedure:         forAll,
	apiv1connect.IdentityServiceListRightsProcedure:          forAll,
	apiv1connect.IdentityServiceGetStatusListProcedure:       forAll,
	apiv1connect.IdentityServiceListStatusListsProcedure:     forAll,
	apiv1connect.IdentityServiceGetCredentialStatusProcedure: forAll,
	apiv1connect.IdentityServiceGetServiceProcedure:          forAll,
	apiv1connect.IdentityServiceListServicesProcedure:        forAll,
	apiv1connect.IdentityServiceListAttributesProcedure:      own(ownAttributes),
	apiv1connect.IdentityServiceHasAttributeProcedure:        own(ownAttribute),
	apiv1connect.IdentityServiceGetConsentProcedure:          own(ownConsent),
	apiv1connect.IdentityServiceListConsentsProcedure:        own(ownConsents),

	apiv1connect.AccessServiceGetChallengeProcedure: open,
	apiv1connect.AccessServiceCreateTokenProcedure:  open,

	apiv1connect.NetworkServiceGetNetworkProcedure:    open,
	apiv1connect.NetworkServiceListProposalsProcedure: forAll,
}

// ruleFor is the rule of a procedure: members only if it has none.
func ruleFor(procedure string) rule { return rules[procedure] }

// allows says whether an account may ask this. Code access.not_yours.
func (r rule) allows(ctx context.Context, a *asker, request any) error {
	switch {
	case a.all, r.who == everybody:
		return nil
	case r.who != accounts:
		return notYours(a, "this")
	case r.ask != nil:
		return r.ask(ctx, a, request)
	}
	return nil
}

// shows takes out of an answer what does not concern the reader.
func (r rule) shows(a *asker, response any) error {
	if a.all || r.answer == nil {
		return nil
	}
	return r.answer(a, response)
}

// notYours says the same whether there is such a thing or not.
func notYours(a *asker, what string) error {
	return fault.New("access.not_yours", "Account "+a.account.String()+" reads here what concerns it, and "+what+" does not. Ask with an account that it concerns, or a member.",
		"account", a.account)
}
