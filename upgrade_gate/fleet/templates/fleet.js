(() => {
  "use strict";
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  document.documentElement.classList.add("js");

  for (const table of all(".sortable")) {
    const heads = all("th", table);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = one("tbody", table);
        const words = (cell) => Array.from(cell.childNodes, (part) => part.textContent).join(" ");
        const keyed = all("tr", body).map((row) => ({ row, key: words(row.cells[column]) }));
        keyed.sort((a, b) => a.key.localeCompare(b.key, "en", { numeric: true }) * (down ? -1 : 1));
        body.append(...keyed.map(({ row }) => row));
      });
    });
  }

  const [search, show, cause] = ["#q", "#show", "#cause"].map((selector) => one(selector));
  const rows = all("#matrix tbody tr").map((row) => ({
    row,
    status: row.cells[1].textContent,
    causes: all("a", row.cells[4]).map((link) => link.hash.slice(2)),
    text: [0, 1, 2, 3].map((column) => row.cells[column].textContent).join(" ").toLowerCase(),
  }));
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, status, causes, text } of rows) {
      const fits = (!show.value || status === show.value) && (!cause.value || causes.includes(cause.value))
        && words.every((word) => text.includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    one("#none").hidden = shown > 0;
    one("#shown").textContent = `${shown} of ${rows.length} clusters`;
  };
  search.addEventListener("input", filter);
  show.addEventListener("change", filter);
  cause.addEventListener("change", filter);
  one(".tools").addEventListener("submit", (event) => event.preventDefault());
  one("#clear").addEventListener("click", () => { search.value = show.value = cause.value = ""; filter(); search.focus(); });
})();
