// Uses and makes passkeys (Web Authentication Level 3): a form with data-passkey asks the browser first and is sent with the answer.
(function () {
  "use strict";

  function bytes(text) {
    var raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    var out = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
    return out;
  }
  function text(buffer) {
    var raw = "";
    new Uint8Array(buffer).forEach(function (b) { raw += String.fromCharCode(b); });
    return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function use(d) {
    return navigator.credentials.get({ publicKey: { challenge: bytes(d.challenge), rpId: d.rp, userVerification: "required", timeout: 300000 } });
  }
  function make(d) {
    return navigator.credentials.create({ publicKey: {
      challenge: bytes(d.challenge), rp: { id: d.rp, name: d.rpName }, user: { id: bytes(d.user), name: d.userName, displayName: d.displayName },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }], attestation: "none", timeout: 300000,
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" }
    } });
  }
  function answer(credential) {
    var r = credential.response, out = { clientDataJSON: text(r.clientDataJSON) };
    if (r.attestationObject) {
      out.attestationObject = text(r.attestationObject);
    } else {
      out.authenticatorData = text(r.authenticatorData);
      out.signature = text(r.signature);
      if (r.userHandle) out.userHandle = text(r.userHandle);
    }
    return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response: out });
  }

  document.querySelectorAll("form[data-passkey]").forEach(function (form) {
    var button = form.querySelector("button"), status = form.querySelector(".status");
    if (!window.PublicKeyCredential) {
      status.textContent = status.dataset.unsupported;
      button.disabled = true;
      return;
    }
    form.addEventListener("submit", function (e) {
      e.preventDefault();
      button.disabled = true;
      status.textContent = status.dataset.working;
      (form.dataset.passkey === "get" ? use : make)(form.dataset).then(function (credential) {
        form.elements.answer.value = answer(credential);
        form.submit();
      }).catch(function () {
        button.disabled = false;
        status.textContent = status.dataset.cancelled;
      });
    });
  });

  document.querySelectorAll("[data-all]").forEach(function (all) {
    all.closest("label").hidden = false;
    var boxes = Array.from(all.closest("fieldset").querySelectorAll("input[name=item]:not(:disabled)"));
    all.addEventListener("change", function () { boxes.forEach(function (b) { b.checked = all.checked; }); });
    boxes.forEach(function (b) {
      b.addEventListener("change", function () { all.checked = boxes.every(function (one) { return one.checked; }); });
    });
  });

  // A page that the browser kept is of no use any more: its challenge is spent.
  window.addEventListener("pageshow", function (e) { if (e.persisted) location.reload(); });
})();
