package id

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/refusal"
)

const (
	// enrolmentLifetime is how long making an account may take.
	enrolmentLifetime = time.Hour
	maxEnrolments     = 10_000
	phoneCodeLifetime = 5 * time.Minute
	bankCodeLifetime  = 30 * time.Minute
	// maxTries is how often a code may be typed.
	maxTries = 5
)

// The steps of an enrolment, in order.
const (
	stepPhone     = "phone"
	stepPhoneCode = "phone-code"
	stepBank      = "bank"
	stepBankCode  = "bank-code"
	stepPasskey   = "passkey"
)

var steps = []string{stepPhone, stepPhoneCode, stepBank, stepBankCode, stepPasskey}

// enrolment is a person making an account, in one browser. Its fields are read and written under its lock.
type enrolment struct {
	mu   sync.Mutex
	step string
	// then is the sign-in at a service that goes on afterwards; empty: none.
	then  string
	until time.Time

	name, phone, bank, number string
	phoneAt, bankAt           int64
	code                      proofCode
	userID                    string
}

// proofCode is a code that was sent.
type proofCode struct {
	text  string
	until time.Time
	tries int
}

// check uses one try up.
func (c *proofCode) check(typed string, now time.Time) error {
	if c.text == "" || !now.Before(c.until) || c.tries >= maxTries {
		return refusal.New("signin.code_spent", "The code no longer works. Ask for a new one.")
	}
	c.tries++
	if subtle.ConstantTimeCompare([]byte(c.text), []byte(strings.TrimSpace(typed))) != 1 {
		return refusal.New("signin.code_wrong", "The code is not right. Type it again.")
	}
	*c = proofCode{}
	return nil
}

// newCode draws a code of so many digits.
func newCode(digits int, until time.Time) proofCode {
	n, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	if err != nil {
		panic(err) // the machine's randomness does not fail
	}
	return proofCode{text: fmt.Sprintf("%0*d", digits, n), until: until}
}

// enrolment is that of a browser, a new one if it has none or took too long.
func (s *Server) enrolment(browser string) *enrolment {
	if e, ok := s.enrolments.Get(browser); ok && s.now().Before(e.until) {
		return e
	}
	e := &enrolment{step: stepPhone, until: s.now().Add(enrolmentLifetime)}
	s.enrolments.Add(browser, e)
	return e
}

// prove takes one step of the two proofs; address is who asks.
func (s *Server) prove(ctx context.Context, e *enrolment, address string, form func(string) string) error {
	switch form("do") {
	case stepPhone:
		return s.sendPhoneCode(ctx, e, address, form)
	case stepPhoneCode:
		if e.step != stepPhoneCode {
			return nil
		}
		if err := e.code.check(form("code"), s.now()); err != nil {
			return err
		}
		e.step, e.phoneAt = stepBank, s.now().UnixMilli()
	case stepBank:
		return s.sendWon(ctx, e, address, form)
	case stepBankCode:
		if e.step != stepBankCode {
			return nil
		}
		if err := e.code.check(form("code"), s.now()); err != nil {
			return err
		}
		e.step, e.bankAt = stepPasskey, s.now().UnixMilli()
	}
	return nil
}

func (s *Server) sendPhoneCode(ctx context.Context, e *enrolment, address string, form func(string) string) error {
	if e.step != stepPhone {
		return nil
	}
	name, phone, ok := readName(form("name")), "", false
	if phone, ok = readPhone(form("phone")); !ok || name == "" {
		return refusal.New("signin.bad_phone", "Give a name, and a phone number such as 010-1234-5678.")
	}
	if err := s.mayCode(address, "phone "+phone); err != nil {
		return err
	}
	code := newCode(6, s.now().Add(phoneCodeLifetime))
	if err := s.operator.SendCode(ctx, phone, "[두레] 인증번호 "+code.text+" 아무에게도 알려 주지 마세요. Dure code: do not tell anyone."); err != nil {
		return err
	}
	e.name, e.phone, e.code, e.step = name, phone, code, stepPhoneCode
	return nil
}

func (s *Server) sendWon(ctx context.Context, e *enrolment, address string, form func(string) string) error {
	if e.step != stepBank {
		return nil
	}
	bank, number := form("bank"), strings.NewReplacer("-", "", " ", "").Replace(form("number"))
	if !slices.ContainsFunc(banks, func(b page.Bank) bool { return b.Code == bank }) || !accountDigits.MatchString(number) {
		return refusal.New("signin.bad_bank", "Choose a bank, and give the account number in digits.")
	}
	if err := s.mayCode(address, "bank "+bank+" "+number); err != nil {
		return err
	}
	code := newCode(4, s.now().Add(bankCodeLifetime))
	if err := s.bank.SendWon(ctx, BankAccount{Bank: bank, Number: number, Holder: e.name}, "두레"+code.text); err != nil {
		return err
	}
	e.bank, e.number, e.code, e.step = bank, number, code, stepBankCode
	return nil
}

// mayCode holds down how many codes one address causes and one receiver gets.
func (s *Server) mayCode(address, to string) error {
	now := s.now()
	if !s.codesBy.allow(address, now) || !s.codesTo.allow(to, now) {
		return refusal.New("signin.too_many_codes", "Too many codes were sent. Try again in an hour.")
	}
	return nil
}

// banks are those a person may choose, by the code of the Korea Financial Telecommunications and Clearings Institute.
var banks = []page.Bank{
	{Code: "088", Name: "신한 Shinhan"}, {Code: "004", Name: "국민 KB"}, {Code: "020", Name: "우리 Woori"}, {Code: "081", Name: "하나 Hana"}, {Code: "011", Name: "농협 NH"},
	{Code: "003", Name: "기업 IBK"}, {Code: "090", Name: "카카오뱅크 KakaoBank"}, {Code: "092", Name: "토스뱅크 Toss Bank"}, {Code: "089", Name: "케이뱅크 K bank"},
	{Code: "045", Name: "새마을금고 MG"}, {Code: "048", Name: "신협 CU"}, {Code: "071", Name: "우체국 Post"},
}

func bankName(code string) string {
	for _, b := range banks {
		if b.Code == code {
			return b.Name
		}
	}
	return code
}

var (
	accountDigits = regexp.MustCompile(`^[0-9]{6,20}$`)
	e164          = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)
	korean        = regexp.MustCompile(`^01[016789][0-9]{7,8}$`)
)

// readPhone reads a Korean mobile number, or any with its country's code, as E.164.
func readPhone(text string) (string, bool) {
	text = strings.NewReplacer("-", "", " ", "", "(", "", ")", "").Replace(text)
	if korean.MatchString(text) {
		text = "+82" + text[1:]
	}
	return text, e164.MatchString(text)
}

// shownPhone is a number as people write it.
func shownPhone(e164 string) string {
	rest, ok := strings.CutPrefix(e164, "+82")
	if !ok || len(rest) < 9 {
		return e164
	}
	return "0" + rest[:2] + "-" + rest[2:len(rest)-4] + "-" + rest[len(rest)-4:]
}

// readName takes a name of letters, spaces and the marks that names have; empty if it is none.
func readName(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	bad := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !strings.ContainsRune(" .'’-·", r)
	}
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > 60 || strings.ContainsFunc(text, bad) {
		return ""
	}
	return text
}
