"use strict";
{
  const PAUSE = 1000;
  const get = (id) => document.getElementById(id);
  const frame = get("report");
  // Version of the report that is shown, and of the newest.
  let shown = 0;
  let newest = 0;
  let misses = 0;

  const element = (name, text, parent, kind) => {
    const made = document.createElement(name);
    made.textContent = text;
    if (kind) made.className = kind;
    parent.append(made);
    return made;
  };

  const time = (seconds) => {
    if (seconds < 90) return `${Math.round(seconds)} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    if (seconds < 172800) return `${(seconds / 3600).toFixed(1)} h`;
    return `${(seconds / 86400).toFixed(1)} days`;
  };

  // Only what differs is drawn again, so that a text can be selected and a list scrolled.
  const drawn = new Map();
  const draw = (id, items, item) => {
    const text = JSON.stringify(items);
    if (drawn.get(id) === text) return;
    drawn.set(id, text);
    const list = get(id);
    list.replaceChildren();
    for (const one of items) item(one, list);
  };

  const curve = ({ name, losses }, parent) => {
    const known = losses.filter(Number.isFinite);
    const low = Math.min(...known);
    const span = Math.max(...known) - low || 1;
    const step = 100 / Math.max(losses.length - 1, 1);
    const points = losses.map((loss, at) => `${(at * step).toFixed(2)} ${(38 - 36 * (loss - low) / span).toFixed(2)}`);
    const figure = element("figure", "", parent);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 100 40");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `Loss of ${name}: from ${losses[0]?.toPrecision(3)} to ${losses.at(-1)?.toPrecision(3)}`);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    if (known.length === losses.length && losses.length > 1) path.setAttribute("d", `M${points.join("L")}`);
    svg.append(path);
    figure.append(svg);
    const caption = element("figcaption", `${name} `, figure);
    element("small", `${losses[0]?.toPrecision(3)} → ${losses.at(-1)?.toPrecision(3)}`, caption);
  };

  const isInUse = () => {
    const active = frame.contentDocument?.activeElement;
    return document.activeElement === frame && active?.matches("input[type=search], select");
  };

  const show = () => {
    const inside = frame.contentWindow;
    const isFirst = shown === 0;
    const hash = isFirst ? "" : inside.location.hash;
    const place = isFirst ? 0 : inside.scrollY;
    shown = newest;
    get("refresh").hidden = true;
    frame.onload = () => {
      // The charts are in place at once, so that the old place is there.
      if (!isFirst) frame.contentWindow.scrollTo({ top: place, behavior: "instant" });
    };
    // A question makes it another address: one that differs in its hash alone is not loaded again.
    inside.location.replace(`report?${shown}${hash}`);
  };

  const update = (state) => {
    document.title = `${Math.floor(100 * state.share)} % · ${state.suite} · harness`;
    get("suite").textContent = state.suite;
    const parts = [`${state.done} of ${state.total} tasks done`];
    if (state.failures) parts.push(`${state.failures} failed`);
    parts.push(`${time(state.elapsed_seconds)} so far`);
    if (state.is_over) parts.push("the run is over");
    else parts.push(state.left_seconds === null ? "time left unknown" : `${time(state.left_seconds)} left`);
    const isWaiting = state.total === 0 && state.version === 0 && !state.is_over;
    if (!isWaiting) get("progress").textContent = parts.join(", ");
    get("bar").value = state.is_over ? 1 : state.share;
    draw("running", state.running.map(({ name, share, seconds }) => ({ name, share: Math.round(100 * share), seconds: Math.floor(seconds) })), ({ name, share, seconds }, list) => {
      const item = element("li", `${name} `, list);
      element("small", time(seconds), item);
      if (share > 0) {
        const bar = element("progress", "", item);
        bar.max = 100;
        bar.value = share;
        bar.setAttribute("aria-label", `${name}, share done`);
      }
    });
    const waiting = state.total - state.done - state.running.length - state.next.length;
    draw("next", waiting > 0 && !state.is_over ? [...state.next, `and ${waiting} more`] : state.next, (name, list) => element("li", name, list));
    draw("ended", state.ended, ({ name, word, message, seconds, is_failure }, list) => {
      const item = element("li", "", list);
      if (word !== "done") element("span", `${word}: `, item, is_failure ? "bad" : "");
      item.append(`${name}${message ? `: ${message}` : ""} `);
      if (seconds !== null) element("small", time(seconds), item);
    });
    get("warned").hidden = state.warnings.length === 0;
    draw("warnings", state.warnings, (text, list) => element("li", text, list));
    get("trained").hidden = state.trainings.length === 0;
    draw("losses", state.trainings, curve);
    newest = state.version;
    get("reported").hidden = newest === 0;
    if (newest > shown) {
      if (get("follow").checked && !isInUse()) show();
      else get("refresh").hidden = false;
    }
    return state.is_over;
  };

  const say = (text) => {
    get("problem").textContent = text;
    get("problem").hidden = text === "";
  };

  const poll = async () => {
    let isOver = false;
    try {
      const answer = await fetch("state.json", { cache: "no-store" });
      isOver = update(await answer.json());
      misses = 0;
      say("");
    } catch {
      misses += 1;
      if (misses > 2) say("The run no longer answers: it has ended or was stopped. This is what it last said.");
    }
    if (!isOver) setTimeout(poll, PAUSE);
  };

  get("refresh").addEventListener("click", show);
  poll();
}
