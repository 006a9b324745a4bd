(() => {
  "use strict";
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  document.documentElement.classList.add("js");

  const say = (text) => { one("#said").textContent = text; };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "sr";
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  for (const button of all(".copy")) {
    const label = button.firstChild;
    button.addEventListener("click", async () => {
      await copy(one("code", button.parentElement).textContent);
      button.focus();
      label.textContent = "Copied";
      say("Copied");
      setTimeout(() => { label.textContent = "Copy"; say(""); }, 2000);
    });
  }

  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || target === document.body) return;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) {
      box.hidden = false;
      box.open = true;
    }
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();

  one(".printing a").addEventListener("click", (event) => {
    event.preventDefault();
    location.hash = "whole";
    print();
  });

  const search = one("#q");
  if (!search) return;
  const show = one("#show");
  const boxes = all(".component").map((box) => ({ box, is: box.dataset.is.split(" "), text: box.textContent.toLowerCase() }));
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { box, is, text } of boxes) {
      const fits = (!show.value || is.includes(show.value)) && words.every((word) => text.includes(word));
      box.hidden = !fits;
      shown += fits;
    }
    one("#none").hidden = shown > 0;
    one("#shown").textContent = `${shown} of ${boxes.length} components`;
  };
  search.addEventListener("input", filter);
  show.addEventListener("change", filter);
  one(".tools").addEventListener("submit", (event) => event.preventDefault());
  one("#clear").addEventListener("click", () => { search.value = ""; show.value = ""; filter(); search.focus(); });
  one("#unfold").addEventListener("click", () => { for (const { box } of boxes) if (!box.hidden) box.open = true; });
  one("#fold").addEventListener("click", () => { for (const { box } of boxes) box.open = false; });
})();
