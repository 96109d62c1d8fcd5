import { credentialTexts } from "./credential/texts.js";
import { keyTexts } from "./keytexts.js";

/** Every text of the wallet, in Korean and English. {0} and {1} stand for values. */
export const texts = {
  ...credentialTexts,
  ...keyTexts,

  wallet: ["두레 지갑", "Dure wallet"],
  other: ["English", "한국어"],
  skip: ["본문으로", "Skip to content"],
  back: ["뒤로", "Back"],
  loading: ["불러오는 중…", "Loading…"],
  copy: ["복사", "Copy"],
  copied: ["복사했습니다", "Copied"],
  retry: ["다시 해 보기", "Try again"],

  "start.title": ["지갑 만들기", "Make a wallet"],
  "start.lead": ["비밀번호도, 적어 둘 단어도 없습니다. 열쇠는 누구에게도 보내지 않습니다.", "No password and no words to write down. Your key is sent to nobody."],
  "start.passkey": ["지문·얼굴·PIN으로 만들기", "Make it with fingerprint, face or PIN"],
  "start.passkey.about": ["패스키를 만듭니다. 돈을 보낼 때마다 본인인지 확인합니다.", "Makes a passkey. You are asked for it each time you pay."],
  "start.passkey.elsewhere": ["이 주소에서는 패스키를 쓸 수 없습니다. {0} 에서 여십시오.", "Passkeys do not work at this address. Open {0} instead."],
  "start.passkey.never": ["이 네트워크는 아직 패스키를 받을 주소를 정하지 않았습니다.", "This network has not named an address for passkeys yet."],
  "start.key": ["이 브라우저에만 두는 열쇠로 만들기", "Make it with a key kept in this browser"],
  "start.key.about": ["꺼낼 수 없는 열쇠를 이 브라우저에 둡니다. 브라우저 자료를 지우면 열쇠도 사라집니다. 적은 돈에만 쓰십시오.", "A key that cannot be read out, kept in this browser. It is gone when the browser's data is cleared. Use it for small sums."],
  "start.passkey.device": ["이 브라우저는 패스키를 쓸 수 없습니다.", "This browser has no passkeys."],
  "start.found": ["전에 만든 패스키로 열기", "Open with a passkey you made before"],
  "start.found.failed": ["지갑을 열지 않았습니다. 다시 해 보십시오.", "The wallet was not opened. Try again."],
  "start.found.none": ["그 패스키로 열린 계좌가 없습니다.", "No account was opened with that passkey."],
  "start.insecure": ["열쇠를 만들려면 https 주소로 여십시오.", "Open this page at an https address to make a key."],
  "start.declined": ["열쇠를 만들지 않았습니다.", "No key was made."],

  "sponsored.title": ["새 패스키로 서명하기", "Sign with the new passkey"],
  "sponsored.lead": ["이 계정을 방금 만든 새 패스키로 되찾으려 합니다. 서명하면 기다리는 시간이 시작되고, 그동안 지금 열쇠를 가진 사람이 이의를 낼 수 있습니다.", "This account is to be recovered with the passkey that you have just made. When you sign, the waiting time begins, in which whoever has a present key may object."],
  "sponsored.account": ["되찾을 계정", "Account"],
  "sponsored.sponsor": ["되찾아 주는 기관", "Member that recovers it"],
  "sponsored.sign": ["새 패스키로 서명", "Sign with the new passkey"],
  "sponsored.done": ["되찾기를 시작했습니다. 이 창을 닫고 하던 페이지로 돌아가십시오.", "The recovery has begun. Close this window and go back to the page you came from."],
  "sponsored.bad": ["되찾기를 위한 링크가 아니거나 너무 오래되었습니다. 하던 페이지로 돌아가 다시 여십시오.", "This is no link for a recovery, or it is too old. Go back to the page you came from and open it again."],
  "sponsored.failed": ["서명하지 않았거나 노드에 닿지 않았습니다. 다시 해 보십시오.", "Nothing was signed, or the node did not answer. Try again."],

  "wait.title": ["계좌 열기", "Open the account"],
  "wait.lead": ["열쇠가 준비되었습니다. 이 열쇠를 회원 기관에 보여 주면 계좌를 열어 줍니다.", "Your key is ready. Show it to a member, who opens the account."],
  "wait.members": ["회원 기관", "Members"],
  "wait.key": ["열쇠 (공개해도 되는 것)", "Key (the public part)"],
  "wait.live": ["계좌가 열리면 이 화면이 저절로 바뀝니다.", "This page changes by itself when the account is open."],

  balance: ["잔액", "Balance"],
  "balance.none": ["아직 받은 돈이 없습니다.", "Nothing received yet."],
  "balance.held": ["따로 잡아 둔 금액 {0}", "{0} set aside"],
  pay: ["보내기", "Pay"],
  receive: ["받기", "Receive"],
  payments: ["내역", "Payments"],
  "payments.none": ["아직 내역이 없습니다.", "No payments yet."],
  settings: ["설정", "Settings"],
  frozen: ["이 계좌는 멈춰 있습니다: {0}", "This account is frozen: {0}"],
  in: ["받음", "Received"],
  out: ["보냄", "Paid"],
  issued: ["발행", "issued"],
  redeemed: ["상환", "redeemed"],
  arrived: ["{0} 받았습니다", "{0} arrived"],
  failed: ["거절됨", "Refused"],

  "tick.good": ["확인함", "Verified"],
  "tick.checking": ["확인 중", "Checking"],
  "tick.bad": ["확인되지 않음", "Not verified"],
  "tick.none": ["영수증을 아직 못 받음", "No receipt yet"],

  "receive.title": ["받기", "Receive"],
  "receive.lead": ["보내는 사람에게 이 주소를 보여 주십시오.", "Show this address to whoever pays you."],
  address: ["주소", "Address"],
  "address.mine": ["내 계좌", "this account"],
  "address.qr": ["주소의 QR 코드", "QR code of the address"],
  "key.qr": ["열쇠의 QR 코드", "QR code of the key"],

  "pay.title": ["보내기", "Pay"],
  "pay.to": ["받는 주소", "To address"],
  "pay.scan": ["QR 찍기", "Scan QR"],
  "pay.scan.stop": ["그만 찍기", "Stop scanning"],
  "pay.scan.none": ["카메라를 쓸 수 없습니다. 주소를 적어 주십시오.", "The camera cannot be used. Type the address."],
  "pay.scan.look": ["QR 코드를 화면 가운데 두십시오.", "Hold the QR code in the middle."],
  "pay.asset": ["무엇으로", "What"],
  "pay.amount": ["금액", "Amount"],
  "pay.memo": ["메모 (모두에게 보임)", "Memo (public)"],
  "pay.check": ["다음", "Next"],
  "pay.confirm": ["이대로 보낼까요?", "Pay this?"],
  "pay.send": ["보내기", "Pay now"],
  "pay.change": ["고치기", "Change"],
  "pay.sending": ["보내는 중… 이 화면을 닫지 마십시오.", "Paying… keep this page open."],
  "pay.nothing": ["보낼 수 있는 돈이 없습니다.", "There is nothing to pay with."],
  "pay.bad.address": ["주소가 맞지 않습니다. 0x로 시작하는 42자입니다.", "This is no address: it is 0x and 40 digits."],
  "pay.bad.unknown": ["이 주소로 열린 계좌가 없습니다.", "No account is open at this address."],
  "pay.bad.self": ["내 주소입니다.", "This is your own address."],
  "pay.bad.amount": ["금액을 숫자로 적어 주십시오. 소수점 아래는 {0}자리까지입니다.", "Write the amount in digits, with at most {0} after the point."],
  "pay.bad.more": ["잔액보다 많습니다.", "This is more than your balance."],
  "pay.bad.memo": ["메모가 너무 깁니다.", "The memo is too long."],
  "pay.failed": ["보내지 않았습니다.", "Nothing was paid."],
  "pay.undecided": ["보냈는지 아직 알 수 없습니다. 내역에서 확인하기 전에는 다시 보내지 마십시오.", "It is not known yet whether it was paid. Do not pay again before the list shows it."],
  "pay.declined": ["서명하지 않아서 보내지 않았습니다.", "You did not sign, so nothing was paid."],

  "payment.title": ["내역 한 건", "A payment"],
  "payment.unknown": ["이 기기가 아는 내역이 아닙니다.", "This device knows no such payment."],
  "payment.other": ["상대", "With"],
  "payment.time": ["시각", "Time"],
  "payment.memo": ["메모", "Memo"],
  "payment.why": ["까닭", "Why"],
  "payment.id": ["거래 번호", "Transaction"],
  receipt: ["영수증", "Receipt"],
  "receipt.good": ["이 기기에서 확인했습니다", "Verified on this device"],
  "receipt.good.about": ["노드의 말을 믿지 않고, 서명을 이 기기에서 계산했습니다.", "The node's word was not taken: the signatures were checked here."],
  "receipt.bad": ["영수증이 맞지 않습니다", "The receipt does not hold"],
  "receipt.bad.about": ["이 내역을 믿지 말고 회원 기관에 알리십시오.", "Do not rely on this payment, and tell a member."],
  "receipt.differs": ["노드가 보여 준 내역과 영수증이 다릅니다.", "The node showed something else than the receipt says."],
  "receipt.network": ["네트워크", "Network"],
  "receipt.rests": ["믿음의 바탕", "Rests on"],
  "receipt.rests.genesis": ["처음 장부를 연 검증자 {0}곳의 열쇠", "the genesis keys of {0} validators"],
  "receipt.seen": ["이 기기가 처음 본 때: {0}", "first seen by this device on {0}"],
  "receipt.changes": ["그 뒤 검증자 교체", "Changes of validators since"],
  "receipt.signed": ["서명", "Signed by"],
  "receipt.signed.by": ["검증자 {0}곳 가운데 {1}곳", "{1} of {0} validators"],
  "receipt.power": ["의결권 {1} 가운데 {0}", "{0} of {1} voting power"],
  "receipt.block": ["블록", "Block"],
  "receipt.save": ["영수증 내려받기", "Save the receipt"],
  "receipt.offline": ["내려받은 파일은 누구나 인터넷 없이 확인할 수 있습니다: dure receipt verify", "Anyone can verify the file offline: dure receipt verify"],

  "settings.title": ["설정", "Settings"],
  "settings.export": ["영수증 모두 내려받기", "Save all receipts"],
  "settings.export.about": ["영수증 {0}장과, 확인하는 데 필요한 처음 장부 파일(genesis.json)이 한 파일에 담깁니다.", "One file with {0} receipts and the genesis file that they are verified with."],
  "settings.key": ["열쇠", "Key"],
  "settings.key.passkey": ["패스키 (지문·얼굴·PIN)", "Passkey (fingerprint, face or PIN)"],
  "settings.key.browser": ["이 브라우저에만 있는 열쇠", "A key in this browser alone"],
  "settings.sponsor": ["계좌를 연 회원 기관", "The member that opened the account"],
  "settings.network": ["네트워크", "Network"],
  "settings.network.about": ["회원 기관이 알려 준 것과 같은지 견주어 보십시오. 이 이름이 같으면 장부도 같습니다.", "Compare it with what your member tells you. If it is the same, so is the ledger."],
  "settings.forget": ["이 기기에서 지갑 지우기", "Remove the wallet from this device"],
  "settings.forget.about": ["열쇠와 영수증, 증명서를 이 브라우저에서 지웁니다. 패스키로 만든 지갑은 그 패스키로 다시 열 수 있지만, 브라우저에만 둔 열쇠는 사라집니다. 열쇠가 그것뿐이면 그 계좌의 돈도 쓸 수 없게 됩니다.", "Deletes the key, receipts and credentials in this browser. A wallet made with a passkey opens with it again; a key that only this browser has is lost, and if it is the only one, the money in its account with it."],
  "settings.forget.sure": ["정말 지우기", "Yes, remove it"],
  "settings.keep": ["그대로 두기", "Keep it"],

  "trouble.node": ["노드에 닿지 않습니다. 곧 다시 해 봅니다.", "The node does not answer. Trying again shortly."],
  "trouble.network.title": ["다른 장부입니다", "This is another ledger"],
  "trouble.network": ["이 지갑은 {0} 의 것인데, 이 노드는 {1} 입니다. 주소를 잘못 열었거나, 누군가 다른 장부를 보여 주고 있습니다.", "This wallet belongs to {0}, but this node is of {1}. You may have opened a wrong address, or somebody shows you another ledger."],
  "trouble.store": ["이 브라우저에 열쇠를 둘 수 없습니다. 비공개 창이 아닌 창에서 여십시오.", "This browser keeps nothing. Open the wallet in a window that is not private."],

  "code.asset.insufficient_balance": ["잔액이 모자랍니다.", "The balance is not enough."],
  "code.asset.paused": ["지금은 이 자산을 옮길 수 없습니다.", "This asset cannot be moved at the moment."],
  "code.account.frozen": ["계좌가 멈춰 있습니다.", "The account is frozen."],
  "code.account.unknown": ["그런 계좌가 없습니다.", "There is no such account."],
  "code.account.not_authorised": ["이 열쇠로는 이 계좌를 쓸 수 없습니다.", "This key may not act for this account."],
} satisfies Record<string, readonly [ko: string, en: string]>;

export type TextKey = keyof typeof texts;

export const languages = ["ko", "en"] as const;
export type Language = (typeof languages)[number];

/** say is a text in a language with its values put in. */
export function say(lang: Language, key: TextKey, ...values: readonly string[]): string {
  return texts[key][languages.indexOf(lang)]!.replace(/\{([0-9])\}/g, (_, i: string) => values[Number(i)] ?? "");
}

/** sayRefusal is why something was refused: in the visitor's language where there is a text of the code, else as the ledger says it. */
export function sayRefusal(lang: Language, code: string, message: string): string {
  const key = `code.${code}`;
  return key in texts ? say(lang, key as TextKey) : `${message} (${code})`;
}
