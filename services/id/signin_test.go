package id_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A person makes an account at one member, and signs in at a shop by that member and by another, which has never heard of them and keeps
// nothing of the first.
func TestSignInByTwoMembers(t *testing.T) {
	w := newWorld(t, 2, nil)
	b := newBrowser(t)
	b.get(w.shop+"/login?via=0").shows("Corner Shop", "패스키로 로그인")
	b.get(w.providers[0].issuer + b.find(`href="(/register\?then=[^"]+)"`))
	w.register(b, w.providers[0].issuer, "홍길동", "010-1234-5678", "110-123-456789")
	b.shows("무엇을 알려 줄까요?", "홍길동", "010-1234-5678", "원장의 거래와")
	action, account := b.find(`action="(/authorize/[^"]+)"`), b.find(`name="account" value="([^"]+)"`)
	b.post(action, "do", "agree", "account", account, "item", "profile", "item", "account").shows("어서 오세요", account, "홍길동")
	if strings.Contains(b.text, "1234") && strings.Contains(b.text, "phone_number") {
		t.Errorf("the shop was told what was refused:\n%s", b.text)
	}

	// By the second member: no account to make, nobody to ask.
	b.key.Origin = w.providers[1].issuer
	b.get(w.shop+"/login?via=1").usePasskey().shows("무엇을 알려 줄까요?", "이 기관에 없는 정보")
	b.post(b.find(`action="(/authorize/[^"]+)"`), "do", "agree", "account", account).shows("Member 1", account)
	if strings.Contains(b.text, "홍길동") {
		t.Error("the second member gave what only the first knows")
	}

	// The person may prove themselves to the second member as well, with the account that they have.
	b.get(w.providers[1].issuer+"/").shows("이 기관은 나에 대해 아무것도 모릅니다", "이 기관에 본인 확인하기").get(w.providers[1].issuer + "/register")
	b.post("/register", "do", "phone", "name", "홍길동", "phone", "01012345678")
	b.post("/register", "do", "phone-code", "code", newest(w.t, w.operator.URL, `(\d{6})`))
	b.post("/register", "do", "bank", "bank", "088", "number", "110123456789").shows("4/4")
	b.post("/register", "do", "bank-code", "code", newest(w.t, w.bank.URL, `두레(\d{4})`)).shows("홍길동", "010-1234-5678", account)

	b.get(w.shop+"/login?via=1").shows("무엇을 알려 줄까요?", "홍길동") // as it can be given now
	b.post(b.find(`action="(/authorize/[^"]+)"`), "do", "agree", "account", account, "item", "profile").shows("Member 1", "홍길동")

	// What was answered is not asked again, and who is signed in presses nothing.
	b.get(w.shop+"/login?via=0").shows("어서 오세요", "Member 0", "홍길동")
	b.get(w.providers[0].issuer+"/").shows("내 정보", "Corner Shop", "알려 줌: 이름", "거절함: 휴대전화 번호", "계정을 만들었습니다", "Corner Shop에서 물었습니다: 이름, 휴대전화 번호", "Corner Shop에서 읽어 갔습니다: 이름")
	until(t, "of three consents the ledger has not three receipts, the one that was replaced as withdrawn", func() bool {
		all, withdrawn := w.ledger.count()
		return all == 3 && withdrawn == 1
	})
	b.get(w.providers[0].issuer+"/?lang=en").shows("Who asked what, and when", `<html lang="en">`)
}

// A consent that is withdrawn ends what the service may read, and the service is told.
func TestWithdraw(t *testing.T) {
	w := newWorld(t, 1, nil)
	b := newBrowser(t)
	w.register(b, w.providers[0].issuer, "홍길동", "01012345678", "110123456789")
	b.get(w.shop + "/login?via=0")
	b.post(b.find(`action="(/authorize/[^"]+)"`), "do", "agree", "account", b.find(`name="account" value="([^"]+)"`), "item", "phone").shows("+821012345678")
	b.get(w.shop + "/").shows("어서 오세요")
	b.get(w.providers[0].issuer+"/").post("/withdraw", "service", "shop").shows("동의한 서비스가 없습니다", "Corner Shop에 준 동의를 거두었습니다: 휴대전화 번호")
	until(t, "the shop was not told", func() bool { return !strings.Contains(b.get(w.shop+"/").text, "어서 오세요") })
	b.get(w.shop + "/login?via=0").shows("무엇을 알려 줄까요?")
	until(t, "the ledger does not say that the consent was withdrawn", func() bool {
		all, withdrawn := w.ledger.count()
		return all == 1 && withdrawn == 1
	})
	b.post(b.find(`action="(/authorize/[^"]+)"`), "do", "refuse").shows("access_denied")
	b.get(w.providers[0].issuer + "/").shows("Corner Shop에 거절했습니다: 이름, 휴대전화 번호")
}

// Erasing needs a sign-in of a moment ago, and leaves nothing at the member. The account is still the person's.
func TestErase(t *testing.T) {
	w := newWorld(t, 1, nil)
	p, b := w.providers[0], newBrowser(t)
	w.register(b, p.issuer, "홍길동", "01012345678", "110123456789")
	b.get(w.shop + "/login?via=0")
	b.post(b.find(`action="(/authorize/[^"]+)"`), "do", "agree", "account", b.find(`name="account" value="([^"]+)"`), "item", "phone")
	w.clock.advance(10 * time.Minute)
	b.get(p.issuer + "/erase").shows("signin.not_fresh").usePasskey().shows("지워도 좋습니다")
	if got := b.post("/erase").at.Path; got != "/erase" || strings.Contains(b.text, "지웠습니다") {
		t.Errorf("it was erased without being sure: %s", b.text)
	}
	b.post("/erase", "sure", "yes").shows("지웠습니다")
	until(t, "the shop was not told", func() bool { return !strings.Contains(b.get(w.shop+"/").text, "어서 오세요") })
	until(t, "the ledger does not say that the consent was withdrawn", func() bool {
		all, withdrawn := w.ledger.count()
		return all == 1 && withdrawn == 1
	})
	b.get(p.issuer+"/").usePasskey().shows("이 기관은 나에 대해 아무것도 모릅니다", "동의한 서비스가 없습니다")
	files, err := filepath.Glob(filepath.Join(p.dir, "*"))
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"홍길동", "1012345678", "110123456789"} {
			if bytes.Contains(raw, []byte(word)) {
				t.Errorf("%s has %s", f, word)
			}
		}
	}
}

// Signing out at a service signs out at the provider and at every other service of that session; without a token of it the person is asked.
func TestSignOut(t *testing.T) {
	w := newWorld(t, 1, nil)
	b := newBrowser(t)
	w.register(b, w.providers[0].issuer, "홍길동", "01012345678", "110123456789")
	b.get(w.shop + "/login?via=0")
	b.post(b.find(`action="(/authorize/[^"]+)"`), "do", "agree", "account", b.find(`name="account" value="([^"]+)"`)).shows("어서 오세요")
	b.get(w.providers[0].issuer + "/logout?client_id=shop&post_logout_redirect_uri=" + w.shop + "/").shows("로그아웃할까요?")
	b.get(w.shop + "/logout").shows("두레 계정으로 로그인해 보세요").get(w.providers[0].issuer + "/").shows("패스키로 로그인")

	b.usePasskey().get(w.shop + "/login?via=0").shows("어서 오세요")
	b.get(w.providers[0].issuer + "/logout").post(b.find(`action="(/logout/[^"]+)"`)).shows("로그아웃했습니다")
	until(t, "the shop was not told", func() bool { return !strings.Contains(b.get(w.shop+"/").text, "어서 오세요") })
}
