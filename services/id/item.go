package id

import (
	"github.com/dureledger/dure/services/id/vault"
)

// Items that services may ask for. Each is a scope of OpenID Connect, and agreed or refused by itself.
const (
	// ItemName is the name, as the person's bank account has it: claim name.
	ItemName = "profile"
	// ItemPhone is the proven phone number: claims phone_number, phone_number_verified.
	ItemPhone = "phone"
	// ItemBank is the proven bank account: claim bank_account, an object with bank and number.
	ItemBank = "bank_account"
	// ItemAccount is the account on the ledger: claim dure_account.
	ItemAccount = "account"
)

// Items lists all, in the order in which people see them.
var Items = []string{ItemName, ItemPhone, ItemBank, ItemAccount}

// held says whether this member can give an item.
func held(item string, p vault.Profile) bool {
	switch item {
	case ItemName:
		return p.Name != ""
	case ItemPhone:
		return p.Phone != ""
	case ItemBank:
		return p.BankAccount != ""
	case ItemAccount:
		return true
	}
	return false
}

// claims are what an item adds to the answer of the userinfo endpoint.
func claims(into map[string]any, item, account string, p vault.Profile) {
	if !held(item, p) {
		return
	}
	switch item {
	case ItemName:
		into["name"] = p.Name
	case ItemPhone:
		into["phone_number"], into["phone_number_verified"] = p.Phone, true
	case ItemBank:
		into["bank_account"] = map[string]any{"bank": p.Bank, "number": p.BankAccount}
	case ItemAccount:
		into["dure_account"] = account
	}
}

// value is an item as its owner may see it.
func value(item, account string, p vault.Profile) string {
	switch item {
	case ItemName:
		return p.Name
	case ItemPhone:
		return shownPhone(p.Phone)
	case ItemBank:
		return p.Bank + " " + p.BankAccount
	case ItemAccount:
		return account
	}
	return ""
}
