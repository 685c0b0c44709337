  // The live part: what is moved, what is computed from it, and what the page says of that.
  const live = data.live, n = live.names.length;
  const flat = v => Array.isArray(v) ? v.flatMap(flat) : [Number(v)];
  const copy = v => Array.isArray(v) ? v.slice() : v;
  const size = row => live.shapes[row].reduce((a, b) => a * b, 1);
  const start = () => ({ inputs: live.inputs.map(i => copy(i.value)), seeds: live.seeds.map(s => copy(s.value)), tangents: live.tangents.map(copy) });
  let moved = start(), touched = false, result = null, forward = false, h = 1e-5, out = [0, 0], by = [0, 0];

  const minus = text => text.replaceAll("-", "−").replace("Infinity", "∞").replace("NaN", "nan");
  const digits = (v, d) => v === true ? "true" : v === false ? "false" : v === null ? "0" : minus(String(Number(v.toPrecision(d))));
  function words_of(v) {
    if (typeof v !== "object" || v === null) return digits(v, 4);
    if (v.length <= 3) return "[" + Array.from(v, x => digits(x, 3)).join(", ") + "]";
    return digits(Math.min(...v), 3) + " … " + digits(Math.max(...v), 3);
  }
  const added = (a, b) => typeof a === "object" ? Array.from(a, (x, k) => x + (typeof b === "object" ? b[k] : b)) : a + b;
  const place = (row, k) => {
    const at = [];
    for (const m of live.shapes[row].slice().reverse()) { at.unshift(k % m); k = Math.floor(k / m); }
    return "[" + at.join(", ") + "]";
  };

  // -- computing ---------------------------------------------------------------------------------------
  function compute() {
    const back = program.adjoints(...moved.inputs, ...moved.seeds);
    const forth = program.tangents(...moved.inputs, ...moved.tangents);
    result = { rows: back.rows, bars: back.bars, parts: back.parts, dots: forth.dots, left: back.left };
    retell();
  }

  // The steps, with the numbers of now: each as the stepping part plays it.
  function retell() {
    const running = new Map();
    initial = {};
    for (let r = 0; r < n; r++) { initial["v" + r] = "–"; initial["d" + r] = (forward ? live.dots : live.bars)[r] + " = –"; }
    for (const [, key] of live.parts) initial["c" + key] = "";
    steps = live[forward ? "forward" : "reverse"].map(s => {
      const slots = {}, made = { ...s, slots };
      const tell = v => { made.result = words_of(v); };
      if (s.kind === "input" || s.kind === "primal") {
        tell(result.rows[s.row]);
        slots["v" + s.row] = made.result;
      } else if (s.kind === "tangent") {
        const v = result.dots[s.row];
        made.result = v === null ? "0" : words_of(v);
        slots["d" + s.row] = live.dots[s.row] + " = " + made.result;
      } else {
        const part = s.part === undefined ? s.kind === "seed" ? moved.seeds[live.seeds.findIndex(x => x.row === s.row)] : 0 : result.parts[s.part];
        tell(part);
        const before = running.get(s.row);
        let total = before === undefined ? part : added(before, part);
        if (s.nth === s.of && s.of) total = result.bars[s.row];
        running.set(s.row, total);
        slots["d" + s.row] = live.bars[s.row] + " = " + words_of(total) + (s.nth < s.of ? " (" + s.nth + " of " + s.of + ")" : "");
        if (s.part !== undefined) slots["c" + live.parts[s.part][1]] = made.result;
        if (s.of > 1) made.words = s.words + (s.nth < s.of ? " So far " : " Complete: ") + live.bars[s.row] + " = " + words_of(total) + ".";
      }
      return made;
    });
    last = steps.length;
    get("slider").max = last;
    const told = new Map(live.parts.map(([, key], k) => [key, result.parts[k]]));
    data.rows.forEach(row => row.parts.forEach(part => {
      part.text = part.symbols === undefined ? (part.symbols = part.text) : part.symbols;
      part.text += " = " + words_of(told.get(part.edge));
    }));
    get("warning").textContent = result.left.length ? "You have left the traced path. Where this page was made, " + result.left.map(k => live.guards[k]).join("; ") + ". What is shown follows that path; the program itself would not." : "";
  }

  // -- the methods -------------------------------------------------------------------------------------
  const element_of = (v, k) => Number(typeof v === "object" && v !== null ? v[k] : v);
  const input_with = (leaf, k, x) => moved.inputs.map((v, j) => {
    if (j !== leaf) return v;
    if (!Array.isArray(v)) return x;
    const changed = v.slice();
    changed[k] = x;
    return changed;
  });
  const f = x => element_of(program.values(...input_with(by[0], by[1], x)).rows[live.outputs[out[0]]], out[1]);
  const differences = (x, y, h) => {
    const up = f(x + h), down = f(x - h);
    return { forward: (up - y) / h, backward: (y - down) / h, central: (up - down) / (2 * h) };
  };
  const unit = (v, k) => Array.isArray(v) ? v.map((_, j) => k !== null && j === k ? 1 : 0) : k === null ? 0 : 1;
  function gradients() {
    const row = live.inputs[by[0]].row, x = element_of(moved.inputs[by[0]], by[1]);
    const seeds = live.seeds.map((s, j) => unit(s.value, s.row === live.outputs[out[0]] && live.seeds.findIndex(t => t.row === s.row) === j ? out[1] : null));
    const bar = program.adjoints(...moved.inputs, ...seeds).bars[row];
    const directions = moved.inputs.map((v, j) => unit(v, j === by[0] ? by[1] : null));
    const dot = program.tangents(...moved.inputs, ...directions).dots[live.outputs[out[0]]];
    const y = element_of(result.rows[live.outputs[out[0]]], out[1]);
    return { reverse: element_of(bar, by[1]), forward_mode: element_of(dot, out[1]), ...differences(x, y, h), x, y };
  }

  const METHODS = [["reverse", "reverse mode"], ["forward_mode", "forward mode"], ["forward", "forward diff."], ["backward", "backward diff."], ["central", "central diff."]];
  function methods() {
    const g = gradients(), cost = live.costs;
    const costs = { reverse: cost.reverse, forward_mode: cost.tangent, forward: 2 * cost.forward, backward: 2 * cost.forward, central: 2 * cost.forward };
    get("methods").replaceChildren(...METHODS.map(([key, name]) => {
      const tr = document.createElement("tr"), error = Math.abs(g[key] - g.reverse);
      [name, digits(g[key], 10), key === "reverse" ? "–" : minus(error.toExponential(1)), costs[key]].forEach(t => { const td = document.createElement("td"); td.textContent = t; tr.append(td); });
      return tr;
    }));
    get("h").value = Math.log10(h);
    get("hvalue").textContent = "h = " + minus(h.toExponential(2));
    get("h").setAttribute("aria-valuetext", h.toExponential(2));
    curve(g);
  }

  function curve(g) {
    const many = live.costs.weight < 3000 ? 65 : 33, svg = get("vcurve"), lists = { f: [], b: [], c: [] };
    const low = -17, high = 1, X = e => 40 + (e + 16) / 16 * 350, Y = e => 10 + (high - Math.max(low, Math.min(high, e))) / (high - low) * 180;
    const make = (tag, attributes, text) => {
      const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const k in attributes) e.setAttribute(k, attributes[k]);
      if (text) e.textContent = text;
      return e;
    };
    const error = d => { const e = Math.abs(d - g.reverse) / Math.max(1e-300, Math.abs(g.reverse) || 1); return e === 0 ? low : Math.log10(e); };
    for (let k = 0; k < many; k++) {
      const e = -16 + 16 * k / (many - 1), d = differences(g.x, g.y, 10 ** e);
      for (const [c, key] of [["f", "forward"], ["b", "backward"], ["c", "central"]]) if (Number.isFinite(d[key])) lists[c].push([X(e), Y(error(d[key]))]);
    }
    const parts = [];
    for (let e = -16; e <= 0; e += 4) parts.push(make("line", { class: "grid", x1: X(e), x2: X(e), y1: 10, y2: 190 }), make("text", { x: X(e), y: 206, "text-anchor": "middle" }, "1e" + minus(String(e))));
    for (let e = -16; e <= 0; e += 4) parts.push(make("line", { class: "grid", x1: 40, x2: 390, y1: Y(e), y2: Y(e) }), make("text", { x: 36, y: Y(e) + 4, "text-anchor": "end" }, "1e" + minus(String(e))));
    const round = Math.log10(2.2e-16 * Math.abs(g.y) / Math.max(1e-300, Math.abs(g.reverse) || 1));
    if (Number.isFinite(round)) parts.push(make("polyline", { class: "grid", fill: "none", points: [-16, 0].map(e => X(e) + "," + Y(round - e)).join(" ") }));
    for (const c of ["b", "f", "c"]) parts.push(make("polyline", { class: "curve " + c, points: lists[c].map(p => p.map(v => v.toFixed(1)).join(",")).join(" ") }));
    const e = Math.log10(h);
    for (const [c, key] of [["b", "backward"], ["f", "forward"], ["c", "central"]]) if (Number.isFinite(g[key])) parts.push(make("circle", { class: c, r: 5, cx: X(e), cy: Y(error(g[key])) }));
    svg.replaceChildren(...parts);
  }

  // -- what can be moved -------------------------------------------------------------------------------
  function control(kind, j, row, name) {
    const box = document.createElement("div"), list = moved[kind], count = size(row), array = Array.isArray(list[j]);
    box.className = "move";
    const label = document.createElement("span"), range = document.createElement("input"), number = document.createElement("input");
    fill(label, name);
    range.type = "range"; range.step = "any"; number.type = "number"; number.step = "any";
    let k = 0;
    const read = () => array ? moved[kind][j][k] : moved[kind][j];
    const limits = () => { const v = read(), r = kind === "inputs" ? 2 * Math.max(1, Math.abs(v)) : 2; range.min = kind === "inputs" ? v - r : -Math.max(2, Math.abs(v)); range.max = kind === "inputs" ? v + r : Math.max(2, Math.abs(v)); };
    const update = () => { range.value = read(); if (document.activeElement !== number) number.value = Number(read().toPrecision(15)); range.setAttribute("aria-label", name + (array ? " " + place(row, k) : "")); number.setAttribute("aria-label", range.getAttribute("aria-label") + ", value"); };
    const write = v => { if (array) moved[kind][j][k] = v; else moved[kind][j] = v; changed(); };
    range.oninput = () => write(Number(range.value));
    number.oninput = () => { const v = number.valueAsNumber, good = Number.isFinite(v); number.setAttribute("aria-invalid", String(!good)); if (good) { write(v); limits(); range.value = v; } };
    if (array) {
      const select = document.createElement("select");
      for (let m = 0; m < count; m++) select.append(new Option(name + place(row, m), m));
      select.setAttribute("aria-label", "Element of " + name);
      select.onchange = () => { k = Number(select.value); limits(); update(); };
      box.append(select);
      if (!count) range.disabled = number.disabled = true;
    }
    box.append(...(array ? [] : [label]), range, number);
    if (count) { limits(); update(); }
    return { box, update: () => { if (count) { limits(); update(); } }, refresh: () => count && update() };
  }
  let controls = [];
  function build() {
    controls = [];
    const put_in = (id, items) => get(id).replaceChildren(...items.map(c => { controls.push(c); return c.box; }));
    put_in("inputs", live.inputs.map((i, j) => control("inputs", j, i.row, live.texts[i.row])));
    put_in("seeds", live.seeds.map((s, j) => control("seeds", j, s.row, live.bars[s.row])));
    put_in("tangents", live.inputs.map((i, j) => control("tangents", j, i.row, live.dots[i.row])));
  }
  let drawn = 0;
  function changed() {
    touched = true;
    compute();
    controls.forEach(c => c.refresh());
    show(true);
    clearTimeout(drawn);
    drawn = setTimeout(() => { methods(); record(); }, 30);
  }
  function play(mode) {
    forward = mode;
    document.documentElement.classList.toggle("forward", forward);
    get("mode").textContent = forward ? "Forward" : "Reverse";
    get("mode").setAttribute("aria-pressed", String(forward));
    document.querySelector("th:nth-child(3)").textContent = forward ? "Tangent" : "Adjoint";
    retell();
  }
  const turn = () => { play(!forward); go(Math.min(at, last)); };
  get("mode").onclick = turn;
  get("reset").onclick = () => { moved = start(); build(); changed(); touched = false; show(); };
  get("h").oninput = event => { h = 10 ** Number(event.target.value); methods(); clearTimeout(drawn); drawn = setTimeout(record, 300); };
  document.addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.key === "f" || event.key === "F") turn();
  });
  const choices = (id, rows, chosen) => {
    const select = get(id);
    rows.forEach((row, leaf) => { const m = size(row); for (let k = 0; k < m && k < 200; k++) select.append(new Option(live.texts[row].replaceAll("\u0305", "") + (live.shapes[row].length ? place(row, k) : ""), leaf + "," + k)); });
    select.onchange = () => { [chosen[0], chosen[1]] = select.value.split(",").map(Number); methods(); };
  };
  choices("output", live.outputs, out);
  choices("input", live.inputs.map(i => i.row), by);

  // -- a link holds the step, and what was moved ---------------------------------------------------------
  address = () => {
    const parts = [];
    if (touched) for (const kind of ["inputs", "seeds", "tangents"]) parts.push("&" + kind + "=" + flat(moved[kind]).join(","));
    if (h !== 1e-5) parts.push("&h=" + h);
    if (forward) parts.push("&mode=forward");
    const text = parts.join("");
    return text.length < 2000 ? text : "";
  };
  const filled = (shape, numbers) => { const all = numbers.slice(); return shape.map(v => Array.isArray(v) ? all.splice(0, v.length) : all.shift()); };
  function from_address() {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const kind of ["inputs", "seeds", "tangents"]) {
      const numbers = (given.get(kind) || "").split(",").map(Number);
      if (given.get(kind) && numbers.length === flat(moved[kind]).length && numbers.every(Number.isFinite)) { moved[kind] = filled(moved[kind], numbers); touched = true; }
    }
    const step = Number(given.get("h"));
    if (step >= 1e-16 && step <= 1) h = step;
    return given.get("mode") === "forward";
  }

  // -- for programs --------------------------------------------------------------------------------------
  const changes = (kind, given, rows) => {
    const list = Array.isArray(given) ? given : null;
    rows.forEach((row, j) => {
      const name = live.names[row];
      if (list ? j >= list.length : !(name in given)) return;
      const now = moved[kind][j], numbers = flat(list ? list[j] : given[name]), count = Array.isArray(now) ? now.length : 1;
      if (numbers.length !== count) throw new RangeError(kind + ", " + name + ": " + count + " numbers are needed, and " + numbers.length + " came");
      moved[kind][j] = Array.isArray(now) ? numbers : numbers[0];
    });
    if (list && list.length > rows.length) throw new RangeError(kind + ": " + rows.length + " are needed, and " + list.length + " came");
    if (!list) for (const name in given) if (!rows.some(row => live.names[row] === name)) throw new RangeError(kind + ": there is no " + name);
  };
  const listed = v => typeof v === "object" && v !== null ? Array.from(v) : v;
  window.diffkit = {
    /** Moves inputs, seeds or tangents (an object by name, or a list in order; arrays flat or nested), h, the step or the mode. */
    set({ inputs, seeds, tangents, h: step, output, input, at: to, mode } = {}) {
      if (inputs) changes("inputs", inputs, live.inputs.map(i => i.row));
      if (seeds) changes("seeds", seeds, live.seeds.map(s => s.row));
      if (tangents) changes("tangents", tangents, live.inputs.map(i => i.row));
      if (step !== undefined) { if (!(step > 0)) throw new RangeError("h is a positive number"); h = step; }
      if (output) out = Array.isArray(output) ? output : [output, 0];
      if (input) by = Array.isArray(input) ? input : [input, 0];
      touched = true;
      compute();
      controls.forEach(c => c.update());
      if (mode !== undefined) play(mode === "forward");
      go(to === undefined ? Math.min(at, last) : to);
      methods();
      return window.diffkit.state();
    },
    /** All numbers of now: rows by place and by name, gradients of the chosen output and input, decisions that were left. */
    state() {
      const g = gradients(), by_name = list => Object.fromEntries(live.names.map((name, r) => [name, listed(list[r])]));
      return {
        inputs: Object.fromEntries(live.inputs.map((i, j) => [live.names[i.row], copy(moved.inputs[j])])),
        seeds: moved.seeds.map(copy), tangents_given: moved.tangents.map(copy), names: live.names.slice(),
        values: by_name(result.rows), adjoints: by_name(result.bars), tangents: by_name(result.dots), contributions: result.parts.map(listed),
        gradients: { reverse: g.reverse, forward_mode: g.forward_mode, forward: g.forward, backward: g.backward, central: g.central },
        h, output: out.slice(), input: by.slice(), left: result.left.map(k => live.guards[k]), step: at, steps: last, mode: forward ? "forward" : "reverse",
      };
    },
  };

  document.querySelector("#details .hint").append(" F for forward mode.");
  compute();
  // Does the page compute what NumPy computed? If a browser's functions were off, its numbers would be false.
  const off = live.sums.findIndex((sum, r) => { const now = flat(Array.from(items_of(result.rows[r]))).reduce((a, b) => a + b, 0), most = items_of(result.rows[r]).reduce((a, b) => Math.max(a, Math.abs(b)), 0); return sum !== null && !(Math.abs(now - sum) <= 1e-9 * Math.max(most, 1e-300) * Math.max(1, size(r))); });
  function items_of(v) { return typeof v === "object" && v !== null ? Array.from(v, Number) : [Number(v)]; }
  const mode_given = from_address();
  build();
  compute();
  if (off >= 0) get("warning").textContent = "This browser computes " + live.names[off] + " otherwise than Python did: do not trust the numbers below it.";
  if (mode_given) play(true);
  methods();
