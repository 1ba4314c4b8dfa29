"use strict";
// Filters, sorts and copies the matrices, and keeps what is chosen in the address, so that it can be
// sent to somebody. Without this script the matrices show everything.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const parameters = new URLSearchParams(location.hash.slice(1));

  const choice = (text, value) => {
    const made = document.createElement("option");
    made.textContent = text;
    made.value = value;
    return made;
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Where a page may not write to the clipboard by itself, the old way still works.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const copied = document.execCommand("copy");
      area.remove();
      return copied;
    }
  };

  for (const section of document.querySelectorAll(".block")) {
    const matrix = section.querySelector(".matrix");
    const tools = section.querySelector(".tools");
    const detail = section.querySelector(".detail");
    const block = data.blocks[Number(matrix.dataset.block)];
    const [methods, datasets, verdicts, status] =
      ["methods", "datasets", "verdict"].map((name) => tools.querySelector(`[name="${name}"]`))
        .concat(tools.querySelector("[role=status]"));
    const heads = [...matrix.tHead.rows[0].cells];
    const lines = [...matrix.tBodies[0].rows];
    const zero = lines.filter((line) => line.classList.contains("zero"));
    const rows = lines.filter((line) => !line.classList.contains("zero"));
    const words = new Set(block.entries.flat().filter((entry) => entry)
      .flatMap((entry) => [entry.verdict, entry.recommendation]));
    verdicts.append(choice("all", ""), ...[...words].sort().map((word) => choice(word, word)));

    const view = () => section.querySelector(".switch input:checked").value;
    const sorted = { column: 0, rising: false };
    const hidden = (name, part) => !name.toLowerCase().includes(part.trim().toLowerCase());

    const filter = () => {
      const wanted = verdicts.value;
      const fits = (entry) => wanted === "" || entry?.verdict === wanted || entry?.recommendation === wanted;
      const columns = block.datasets.map((of, column) => !hidden(data.datasets[of].name, datasets.value)
        && (wanted === "" || block.entries.some((entries) => fits(entries[column]))));
      columns.forEach((is, column) => {
        for (const line of [heads, ...lines.map((line) => line.cells)]) line[column + 1].hidden = !is;
      });
      let count = 0;
      rows.forEach((row, at) => {
        const entries = block.entries[at].filter((_, column) => columns[column]);
        row.hidden = hidden(block.methods[at], methods.value) || (wanted !== "" && !entries.some(fits));
        block.entries[at].forEach((entry, column) => row.cells[column + 1].classList.toggle("faint", !fits(entry)));
        count += row.hidden ? 0 : 1;
      });
      const all = count === rows.length && columns.every((is) => is);
      status.textContent = all ? "" : `${count} of ${rows.length} methods, ` +
        `${columns.filter((is) => is).length} of ${columns.length} data sets`;
    };

    // A verdict is a word: it is sorted by what it rests on.
    const value = (row, column) => {
      const key = view() === "verdict" ? "delta" : view();
      const text = row.cells[column].querySelector(`.v.${key}`)?.firstChild?.textContent ?? "";
      return Number(/-?\d+(\.\d+)?/.exec(text)?.[0] ?? "NaN");
    };
    const sort = () => {
      const order = rows.map((row, at) => ({ row, at, value: sorted.column === 0 ? at : value(row, sorted.column) }));
      order.sort((a, b) => {
        if (sorted.column === 0) return a.at - b.at;
        if (Number.isNaN(a.value) || Number.isNaN(b.value)) return Number.isNaN(a.value) - Number.isNaN(b.value);
        return sorted.rising ? a.value - b.value : b.value - a.value;
      });
      matrix.tBodies[0].append(...zero, ...order.map((one) => one.row));
      heads.forEach((head, at) => {
        const is = at === sorted.column && at > 0;
        if (is) head.setAttribute("aria-sort", sorted.rising ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
        head.querySelector(".order").textContent = is ? (sorted.rising ? " ↑" : " ↓") : "";
      });
    };

    const remember = () => {
      const state = new URLSearchParams({ upgrade: section.id });
      const put = (key, text, usual) => { if (text !== usual) state.set(key, text); };
      put("view", view(), section.querySelector(".switch input").value);
      for (const input of [methods, datasets, verdicts]) put(input.name, input.value, "");
      if (sorted.column > 0) state.set("sort", `${sorted.column}${sorted.rising ? "" : "-"}`);
      const [row, column] = [".method", ".dataset"].map((list) => detail.querySelector(list).value);
      put("entry", `${row},${column}`, "0,0");
      history.replaceState(null, "", "#" + state);
    };

    heads.forEach((head, column) => {
      const button = document.createElement("button");
      const order = document.createElement("span");
      button.type = "button";
      order.className = "order";
      button.append(...head.childNodes, order);
      head.append(button);
      button.addEventListener("click", () => {
        sorted.rising = sorted.column === column ? !sorted.rising : false;
        sorted.column = column;
        sort();
        remember();
      });
    });
    for (const input of [methods, datasets, verdicts]) {
      input.addEventListener("input", () => { filter(); remember(); });
    }
    for (const input of section.querySelectorAll(".switch input")) {
      input.addEventListener("change", () => { sort(); remember(); });
    }
    for (const list of detail.querySelectorAll("select")) list.addEventListener("change", remember);
    matrix.addEventListener("click", (event) => { if (event.target.closest("td[data-at]")) remember(); });

    // What is seen, in the order it is seen in.
    const shown = () => [matrix.tHead.rows[0], ...matrix.tBodies[0].rows].filter((line) => !line.hidden)
      .map((line) => [...line.cells].filter((cell) => !cell.hidden).map((cell) => {
        const of = cell.querySelector(`.v.${view()}`) ?? cell;
        return of.innerText.replace(/\s+/g, " ").trim();
      }));
    const markdown = () => {
      const line = (texts) => `| ${texts.map((text) => text.replace(/[\\|]/g, "\\$&")).join(" | ")} |`;
      const [head, ...body] = shown();
      return [line(head), line(head.map((_, at) => at === 0 ? "---" : "---:")), ...body.map(line)].join("\n") + "\n";
    };
    const csv = () => shown().map((texts) => texts.map((text) => {
      // A spreadsheet takes some texts for formulas.
      const safe = /^[=+@\t\r]|^-(?![\d.])/.test(text) ? "'" + text : text;
      return `"${safe.replaceAll('"', '""')}"`;
    }).join(",")).join("\r\n") + "\r\n";
    for (const [name, write] of [["markdown", markdown], ["csv", csv]]) {
      tools.querySelector(`[data-copy="${name}"]`).addEventListener("click", async () => {
        status.textContent = await copy(write()) ? "copied" : "the browser refused to copy";
      });
    }

    tools.hidden = false;
    if (parameters.get("upgrade") === section.id) {
      const wanted = [...section.querySelectorAll(".switch input")].find((input) => input.value === parameters.get("view"));
      if (wanted) wanted.checked = true;
      for (const input of [methods, datasets, verdicts]) input.value = parameters.get(input.name) ?? "";
      const order = /^(\d+)(-?)$/.exec(parameters.get("sort") ?? "");
      if (order && Number(order[1]) < heads.length) [sorted.column, sorted.rising] = [Number(order[1]), order[2] === ""];
      const entry = /^(\d+),(\d+)$/.exec(parameters.get("entry") ?? "");
      if (entry && block.entries[entry[1]]?.[entry[2]] !== undefined) {
        [detail.querySelector(".method").value, detail.querySelector(".dataset").value] = entry.slice(1);
        detail.querySelector(".method").dispatchEvent(new Event("change"));
      }
      section.scrollIntoView();
    }
    filter();
    sort();
  }
})();
