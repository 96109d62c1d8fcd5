// Keeps the front page fresh from the node's event stream. Without this script the page is as of its loading.
(function () {
  "use strict";
  var figures = document.getElementById("figures");
  var rows = document.querySelector("table.rows tbody");
  var pause = document.getElementById("pause");
  var lost = document.querySelector(".lost");
  if (!window.EventSource || !figures) return;

  var paused = false;
  var waiting = null;

  // What someone is reading or about to press must not move away under them.
  function busy(el) {
    return el.contains(document.activeElement) || el.matches(":hover");
  }
  function show() {
    if (!waiting || paused) return;
    if (!busy(figures)) figures.innerHTML = waiting.figures;
    if (rows && !busy(rows) && waiting.recent !== null) {
      if (rows.dataset.html !== waiting.recent) {
        rows.innerHTML = waiting.recent;
        rows.dataset.html = waiting.recent;
      }
    }
  }

  pause.hidden = false;
  pause.addEventListener("click", function () {
    paused = !paused;
    pause.textContent = paused ? pause.dataset.resume : pause.dataset.pause;
    show();
  });

  var source = new EventSource("/events?lang=" + document.documentElement.lang);
  source.addEventListener("live", function (e) {
    lost.textContent = "";
    waiting = JSON.parse(e.data);
    show();
  });
  source.onerror = function () { lost.textContent = lost.dataset.lost; };
})();
