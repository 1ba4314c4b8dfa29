"use strict";
// Shows the seeds, the training loss and the classes of one entry of a matrix, chosen by mouse, by arrow keys
// and Enter, or by the two lists. Texts are set as text, never as markup.
(() => {
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const data = JSON.parse(document.getElementById("data").textContent);

  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text !== null) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const percent = (right, total) => total > 0 ? (100 * right / total).toFixed(2) : "n/a";
  const signed = (value) => {
    const shown = value.toFixed(2);
    if (Number(shown) === 0) return "· 0.00";
    return value > 0 ? "▲ +" + shown : "▼ " + shown;
  };
  const table = (caption, heads, rows) => {
    const made = element("table", null);
    made.append(element("caption", caption));
    const head = made.createTHead().insertRow();
    for (const text of heads) {
      const cell = element("th", null, { scope: "col" });
      cell.append(text);
      head.append(cell);
    }
    const body = made.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      row.forEach((value, at) => {
        const cell = at === 0 ? element("th", null, { scope: "row" }) : element("td", null);
        cell.append(value);
        line.append(cell);
      });
    }
    const scroll = element("div", null, { class: "scroll", tabindex: "0", role: "region", "aria-label": caption });
    scroll.append(made);
    return scroll;
  };

  const unpack = ({ width, numbers, only }, dataset, zero, seeds) => {
    const present = dataset.images.map((images, index) => ({ images, index })).filter((one) => one.images > 0);
    const zeroOf = new Map(present.map((one, at) => [one.index, zero[at]]));
    const number = (at) => {
      let value = 0;
      for (let digit = 0; digit < width; digit++) value = value * 64 + DIGITS.indexOf(numbers[at * width + digit]);
      return value;
    };
    const indices = only ?? present.map((one) => one.index);
    return indices.map((index, at) => {
      const images = dataset.images[index];
      const all = images * seeds;
      const [base, now, lost] = [number(3 * at), number(3 * at + 1), number(3 * at + 2)];
      return {
        name: dataset.classes[index] ?? "class " + index,
        images,
        base: 100 * base / all,
        new: 100 * now / all,
        change: 100 * (now - base) / all,
        zero: 100 * zeroOf.get(index) / images,
        lost: 100 * lost / all,
      };
    });
  };

  const COLUMNS = [
    ["class", "name"], ["images", "images"], ["Base", "base"], ["New", "new"],
    ["New − Base", "change"], ["zero-shot", "zero"], ["negative flips", "lost"],
  ];
  const classTable = (rows, caption) => {
    const place = element("div", null, { class: "classes" });
    const draw = (key, rising) => {
      const sorted = [...rows].sort((a, b) => {
        const order = key === "name" ? a.name.localeCompare(b.name) : a[key] - b[key];
        return rising ? order : -order;
      });
      const heads = COLUMNS.map(([label, of]) => {
        const mark = of === key ? (rising ? " ↑" : " ↓") : "";
        const button = element("button", label + mark, { type: "button", "data-sort": of });
        button.addEventListener("click", () => {
          draw(of, of === key ? !rising : of === "name" || of === "change");
          place.querySelector(`[data-sort="${of}"]`).focus();
        });
        return button;
      });
      const lines = sorted.map((row) => [
        row.name, String(row.images), row.base.toFixed(1), row.new.toFixed(1), signed(row.change),
        row.zero.toFixed(1), row.lost.toFixed(1),
      ]);
      const drawn = table(caption, heads, lines);
      drawn.querySelectorAll("thead th").forEach((head, at) => {
        if (COLUMNS[at][1] === key) head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      });
      place.replaceChildren(drawn);
    };
    draw("change", true);
    return place;
  };

  // The training loss over the steps, from the first stretch to the last.
  const curve = (losses) => {
    const [width, height, left, top, bottom] = [360, 120, 44, 12, 98];
    const [low, high] = [Math.min(...losses, 0), Math.max(...losses)];
    const x = (at) => left + (losses.length > 1 ? at / (losses.length - 1) : 0.5) * (width - left - 8);
    const y = (value) => bottom - (high > low ? (value - low) / (high - low) : 0.5) * (bottom - top);
    const svg = (name, attributes, text = null) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, of] of Object.entries(attributes)) made.setAttribute(key, of);
      if (text !== null) made.textContent = text;
      return made;
    };
    const shown = losses.map((value) => value.toPrecision(3));
    const label = `Training loss on the source, mean over seeds: from ${shown[0]} to ${shown.at(-1)}`;
    const drawn = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    drawn.append(svg("path", { class: "axis", d: `M${left} ${top}V${bottom}H${width - 8}` }));
    for (const value of high > low ? [low, high] : [high]) {
      drawn.append(svg("text", { class: "soft", x: left - 5, y: y(value) + 4, "text-anchor": "end" }, value.toPrecision(3)));
    }
    const points = losses.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    drawn.append(svg("polyline", { class: "curve", points }));
    drawn.append(svg("text", { class: "soft", x: width - 8, y: height - 6, "text-anchor": "end" }, "steps →"));
    const figure = element("figure", null, { class: "loss" });
    figure.append(drawn, element("figcaption", label));
    return figure;
  };

  const answer = (block, row, column) => {
    const entry = block.entries[row][column];
    const dataset = data.datasets[block.datasets[column]];
    if (entry === null) return [element("p", "The report has no cell for this method on this data set.")];
    const parts = [];
    const verdict = element("p", null);
    verdict.append(element("strong", entry.verdict), ": " + entry.reason);
    const advice = element("p", null);
    advice.append(element("strong", entry.recommendation), ": " + entry.advice);
    parts.push(verdict, advice);
    if (entry.missing.length > 0) parts.push(element("p", "Without a number: " + entry.missing.join("; ")));
    if (entry.seeds.length > 0) {
      const rows = entry.seeds.map(([seed, counts]) => [
        "seed " + seed,
        ...counts.map((right) => right === null ? "n/a" : percent(right, dataset.test)),
      ]);
      parts.push(table(
        `Accuracy of each seed in percent of ${dataset.test} test images`,
        ["", "zero-shot, source", "Base (source)", "zero-shot, target", "New (target)", "retrained"], rows,
      ));
      if (entry.rerun) {
        const again = element("p", "Rerun the first seed: ");
        again.append(element("code", entry.rerun));
        parts.push(again);
      }
    }
    if (entry.losses) parts.push(curve(entry.losses));
    if (entry.classes) {
      const rows = unpack(entry.classes, dataset, block.zero[column], entry.seeds.length);
      const which = entry.classes.only ? `the ${rows.length} classes that changed most` : "every class";
      parts.push(classTable(rows, `In percent, ${which}; largest loss first`));
      if (entry.classes.only) parts.push(element("p", "The .classes.csv file has every class.", { class: "hint" }));
    } else if (entry.seeds.length > 0) {
      parts.push(element("p", "The report keeps no labels of this data set, so there are no classes to show.", { class: "hint" }));
    }
    return parts;
  };

  for (const detail of document.querySelectorAll(".detail")) {
    const block = data.blocks[Number(detail.dataset.block)];
    const matrix = document.querySelector(`.matrix[data-block="${detail.dataset.block}"]`);
    const [methods, datasets] = [detail.querySelector(".method"), detail.querySelector(".dataset")];
    block.methods.forEach((name, at) => methods.append(element("option", name, { value: at })));
    block.datasets.forEach((of, at) => datasets.append(element("option", data.datasets[of].name, { value: at })));
    const fields = [...matrix.querySelectorAll("td[data-at]")];
    const at = (row, column) => fields.find((field) => field.dataset.at === `${row},${column}`);

    const show = () => {
      const [row, column] = [Number(methods.value), Number(datasets.value)];
      for (const field of fields) field.removeAttribute("aria-current");
      at(row, column)?.setAttribute("aria-current", "true");
      detail.querySelector(".answer").replaceChildren(...answer(block, row, column));
    };
    const choose = (field) => {
      [methods.value, datasets.value] = field.dataset.at.split(",");
      show();
      const heading = detail.querySelector("h3");
      heading.focus({ preventScroll: true });
      heading.scrollIntoView({ block: "nearest" });
    };
    // One field of the matrix is in the order of the tab key, the arrows move it.
    const move = (from, to) => {
      from.tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    };
    for (const field of fields) {
      field.tabIndex = -1;
      field.addEventListener("click", () => choose(field));
      field.addEventListener("keydown", (event) => {
        const [row, column] = field.dataset.at.split(",").map(Number);
        const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
        const step = steps[event.key];
        if (step) {
          const next = at(row + step[0], column + step[1]);
          if (next) move(field, next);
          event.preventDefault();
        } else if (event.key === "Enter" || event.key === " ") {
          choose(field);
          event.preventDefault();
        }
      });
    }
    if (fields.length > 0) fields[0].tabIndex = 0;
    methods.addEventListener("change", show);
    datasets.addEventListener("change", show);
    if (block.methods.length > 0 && block.datasets.length > 0) {
      for (const hint of detail.parentElement.querySelectorAll(":scope > .scripted")) hint.hidden = false;
      show();
    }
  }

  // On paper nothing can be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of folded) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of folded) details.open = false;
  });
})();
