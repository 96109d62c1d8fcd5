package id_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/services/id"
	"github.com/dureledger/dure/services/id/passkey/passkeytest"
)

// tries uses a passkey at the page for signing in of a provider, in a browser of its own.
func (w *world) tries(key *passkeytest.Authenticator, handle []byte) *browser {
	w.t.Helper()
	b := newBrowser(w.t).get(w.providers[0].issuer + "/")
	b.key = key
	return b.sendPasskey(key.Assert(w.t, b.find(`data-challenge="([^"]+)"`), handle))
}

// lost is a new browser of a person with an account, at the step at which they make a new passkey.
func (w *world) lost(name, phone, number string) *browser {
	w.t.Helper()
	b := newBrowser(w.t)
	b.key.Origin = w.providers[0].issuer
	b.get(w.providers[0].issuer + "/recover").shows("열쇠를 모두 잃었을 때")
	w.prove(b, "/recover", name, phone, number)
	return b
}

// bring makes the new passkey for an account.
func (b *browser) bring(account string) *browser {
	b.t.Helper()
	return b.post("/recover", "do", "passkey", "account", account, "answer", string(b.key.Create(b.t, b.find(`data-challenge="([^"]+)"`))))
}

// Every key of an account's rule signs in by itself, if the rule lets it do anything, and ends when the rule names it no more.
func TestSeveralKeys(t *testing.T) {
	w := newWorld(t, 1, nil)
	p, b := w.providers[0], newBrowser(t)
	w.register(b, p.issuer, "홍길동", "01012345678", "110123456789")
	b.get(p.issuer+"/").shows("열쇠가 하나뿐입니다", "지금 쓰는 열쇠", walletOrigin+"/wallet/")
	account := b.key.Public(t).Address()
	second := passkeytest.New(t, "localhost", p.issuer)
	w.ledger.change(account, func(a *id.Account) {
		a.Keys = append(keys(account, second.Public(t).Address()), id.Key{Address: shown([20]byte{9}), Kind: "ed25519", Weight: 1})
	})
	b.get(p.issuer+"/").shows("내 정보 지우기", "여기에서 쓴 적 없음", "파일의 열쇠 (Ed25519)")
	other := w.tries(second, account[:]).shows("내 정보 지우기", shown(account), shown(second.Public(t).Address()))
	if strings.Contains(other.text, "열쇠가 하나뿐입니다") {
		t.Error("an account with three keys is said to have one")
	}
	w.tries(second, nil).shows("signin.unknown_key") // an answer that does not say for which account it was made

	w.ledger.change(account, func(a *id.Account) { a.Locked = true })
	b.get(p.issuer + "/").shows("signin.locked")
	w.tries(second, account[:]).shows("signin.locked")
	w.ledger.change(account, func(a *id.Account) { a.Locked, a.Takes = false, 2 })
	w.tries(second, account[:]).shows("signin.too_few_keys")
	b.get(p.issuer + "/").shows("패스키로 로그인")
	w.ledger.change(account, func(a *id.Account) { a.Keys[1].Weight = 2 })
	other = w.tries(second, account[:]).shows("내 정보 지우기")
	b.get(p.issuer + "/").usePasskey().shows("signin.too_few_keys")

	w.ledger.change(account, func(a *id.Account) { a.Keys, a.Takes = a.Keys[1:], 1 })
	b.get(p.issuer + "/").usePasskey().shows("signin.unknown_key")
	other.get(p.issuer + "/").shows("내 정보 지우기")
	second.Count = 0
	w.tries(second, account[:]).shows("signin.counter_back") // each key has its own counter
}

// Whoever has lost every key proves themselves anew, and after the waiting time their new passkey is the account's. The present key may object, and its
// sessions end when it is replaced.
func TestRecover(t *testing.T) {
	w := newWorld(t, 2, nil)
	p, old := w.providers[0], newBrowser(t)
	w.register(old, p.issuer, "홍길동", "010-1234-5678", "110-123-456789")
	account := old.key.Public(t).Address()
	old.get(w.shop + "/login?via=0")
	old.post(old.find(`action="(/authorize/[^"]+)"`), "do", "agree", "account", shown(account), "item", "phone").shows("어서 오세요")

	b := w.lost("홍길동", "010-1234-5678", "110-123-456789").shows(shown(account), "3일 동안", "새 패스키 만들기")
	b.bring(shown(account)).shows("지갑에서 서명하기")
	b.get(p.issuer + "/recover").shows("지갑에서 서명하기")
	old.get(p.issuer+"/").shows("내 정보 지우기", "새 열쇠로 계정을 되찾겠다고 했습니다")
	w.ledger.sign(b)
	b.get(p.issuer+"/recover").shows("계정을 되찾는 중입니다", "반대하면")
	old.get(p.issuer+"/").shows("누군가 이 계정의 열쇠를 바꾸려 합니다", "지갑에서 반대하기")
	w.ledger.change(account, func(a *id.Account) { a.Recovery = nil }) // an objection
	b.get(p.issuer + "/recover").shows("signin.recovery_ended")
	w.tries(b.key, account[:]).shows("signin.unknown_key")

	b = w.lost("홍길동", "01012345678", "110123456789").bring(shown(account))
	w.ledger.sign(b)
	w.tries(b.key, account[:]).shows("계정을 되찾는 중입니다")
	b.key.Origin = w.providers[1].issuer
	b.get(w.shop + "/login?via=1").sendPasskey(b.key.Assert(t, b.find(`data-challenge="([^"]+)"`), account[:])).shows("signin.recovery_waits")
	b.key.Origin = p.issuer
	w.clock.advance(72 * time.Hour)
	b.get(p.issuer + "/recover").shows("휴대전화") // what was begun here is forgotten; the passkey is enough
	old.key.Count = 100
	w.tries(old.key, nil).shows("누군가 이 계정의 열쇠를 바꾸려 합니다", "누구든 곧 마칠 수 있습니다")
	old.get(p.issuer + "/").usePasskey().shows("내 정보 지우기")
	now := w.tries(b.key, account[:]).shows("내 정보 지우기", shown(account), "홍길동", "되찾은 계정에 새 열쇠로 로그인했습니다", "열쇠가 하나뿐입니다")
	now.get(p.issuer + "/").shows("내 정보 지우기")
	old.get(p.issuer + "/").shows("패스키로 로그인").usePasskey().shows("signin.unknown_key")
	until(t, "the shop was not told", func() bool { return !strings.Contains(old.get(w.shop+"/").text, "어서 오세요") })
}

// A member recovers the account of who proved the same person to it, once at a time and not often, and only where it may.
func TestRecoverAttacks(t *testing.T) {
	w := newWorld(t, 1, func(c *id.Config) { c.Limits.Recoveries, c.Limits.CodesEach, c.Limits.Codes = 2, 100, 1000 })
	p, victim, thief := w.providers[0], newBrowser(t), newBrowser(t)
	w.register(victim, p.issuer, "홍길동", "010-1234-5678", "110123456789")
	w.register(thief, p.issuer, "김철수", "010-8765-4321", "220123456789")
	account, own := shown(victim.key.Public(t).Address()), shown(thief.key.Public(t).Address())

	b := w.lost("김철수", "010-8765-4321", "220123456789").shows(own)
	if strings.Contains(b.text, account) {
		t.Error("a stranger is shown the account")
	}
	b.bring(account).shows("signin.not_known") // a stranger's account, by their own phone
	w.lost("박영희", "010-8765-4321", "330123456789").shows("signin.not_known")
	w.lost("박영희", "010-1234-5678", "330123456789").shows("signin.not_known") // the phone alone, as after its number was taken over
	b = newBrowser(t).get(p.issuer + "/recover")
	b.key.Origin = p.issuer
	b.post("/recover", "do", "passkey", "account", account, "answer", "{}").shows("이름과 휴대전화") // no proof at all
	b.post("/recover", "do", "bank-code", "code", "0000").shows("이름과 휴대전화")

	b = w.lost("홍길동", "010-1234-5678", "110123456789")
	again := w.lost("홍길동", "010-1234-5678", "110123456789")
	answer := again.key.Create(t, b.find(`data-challenge="([^"]+)"`))
	again.post("/recover", "do", "passkey", "account", account, "answer", string(answer)).shows("signin.replayed") // another browser's challenge
	again.key.Origin = "https://evil.example"
	again.bring(account).shows("signin.wrong_origin")
	again.key.Origin = p.issuer
	w.ledger.sign(b.bring(account))
	if again.bring(account); again.status != http.StatusBadRequest {
		t.Errorf("%d", again.status)
	}
	again.shows("signin.recovery_runs") // while one runs
	w.lost("홍길동", "010-1234-5678", "110123456789").shows("signin.recovery_runs")
	stranger := passkeytest.New(t, "localhost", p.issuer)
	address := victim.key.Public(t).Address()
	w.tries(stranger, address[:]).shows("signin.unknown_key") // another passkey than the recovery's
	w.clock.advance(71 * time.Hour)
	w.tries(b.key, address[:]).shows("계정을 되찾는 중입니다") // an hour too early

	w.ledger.change(address, func(a *id.Account) { a.Recovery = nil })
	for range 2 {
		w.lost("홍길동", "010-1234-5678", "110123456789").bring(account).shows("지갑에서 서명하기")
	}
	w.lost("홍길동", "010-1234-5678", "110123456789").bring(account).shows("signin.too_many_recoveries")
	w.ledger.change(address, func(a *id.Account) { a.Ours = false })
	w.clock.advance(time.Hour)
	w.lost("홍길동", "010-1234-5678", "110123456789").shows("signin.not_sponsor")

	// Erased: nobody is known by it any more.
	w.ledger.change(address, func(a *id.Account) { a.Ours = true })
	victim.key.Count = 100
	victim.get(p.issuer+"/").usePasskey().get(p.issuer+"/erase").post("/erase", "sure", "yes").shows("지웠습니다")
	w.lost("홍길동", "010-1234-5678", "110123456789").shows("signin.not_known")
}

// Codes of a recovery are those of an enrolment: as few, and guessed at as seldom.
func TestRecoverLimits(t *testing.T) {
	w := newWorld(t, 1, func(c *id.Config) { c.Limits.Codes = 2 })
	b := newBrowser(t).get(w.providers[0].issuer + "/recover")
	send := func() *browser {
		return b.post("/recover", "do", "phone", "name", "홍길동", "phone", "010-1234-5678")
	}
	send()
	for range 5 {
		b.post("/recover", "do", "phone-code", "code", "000000x").shows("signin.code_wrong")
	}
	b.post("/recover", "do", "phone-code", "code", newest(t, w.operator.URL, `(\d{6})`)).shows("signin.code_spent")
	for range 2 {
		b.post("/recover", "do", "again")
		send()
	}
	b.shows("signin.too_many_codes")
}

// Where no page of the network lets passkeys sign, nobody makes one for nothing.
func TestRecoverWithoutOrigin(t *testing.T) {
	w := newWorld(t, 1, func(c *id.Config) { c.Ledger.(*ledger).origins = nil })
	b := newBrowser(t)
	w.register(b, w.providers[0].issuer, "홍길동", "01012345678", "110123456789")
	b.get(w.providers[0].issuer + "/").shows("dure account rule set")
	w.lost("홍길동", "01012345678", "110123456789").shows("signin.no_origin")
}
