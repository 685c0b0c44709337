  // The live part: what is moved, what is computed from it, and what the page says of that.
  const live = data.live, n = live.names.length;
  const flat = v => Array.isArray(v) ? v.flatMap(flat) : [Number(v)];
  const copy = v => Array.isArray(v) ? v.slice() : v;
  // inf and nan came as texts.
  const number = v => Array.isArray(v) ? v.map(number) : Number(v);
  [...live.inputs, ...live.seeds].forEach(x => { x.value = number(x.value); });
  live.tangents = live.tangents.map(number);
  const size = row => live.shapes[row].reduce((a, b) => a * b, 1);
  const start = () => ({ inputs: live.inputs.map(i => copy(i.value)), seeds: live.seeds.map(s => copy(s.value)), tangents: live.tangents.map((d, j) => Array.isArray(live.inputs[j].value) && !Array.isArray(d) ? live.inputs[j].value.map(() => d) : copy(d)) });
  let moved = start(), touched = false, curving = 0, result = null, forward = false, h = 1e-5, out = [0, 0], by = [0, 0];

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
    fill(document.querySelector(".inputs"), live.inputs.map((i, j) => live.texts[i.row] + " = " + words_of(moved.inputs[j])).join(", "));
    get("slider").max = last;
    const told = new Map(live.parts.map(([, key], k) => [key, result.parts[k]]));
    data.rows.forEach(row => row.parts.forEach(part => {
      part.text = part.symbols === undefined ? (part.symbols = part.text) : part.symbols;
      part.text += " = " + words_of(told.get(part.edge));
    }));
    const now = flat(moved.inputs), made = flat(start().inputs);
    if (get("notes")) get("notes").hidden = !now.every((v, k) => Object.is(v, made[k]));
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
    return { symbolic: program.formulas ? program.formulas(...moved.inputs.flatMap(v => v)).out[entry()] : null, seeds, reverse: element_of(bar, by[1]), forward_mode: element_of(dot, out[1]), ...differences(x, y, h), x, y };
  }

  const METHODS = [["symbolic", "symbolic"], ["reverse", "reverse mode"], ["forward_mode", "forward mode"], ["forward", "forward diff."], ["backward", "backward diff."], ["central", "central diff."]];
  const entry = () => {
    const before = rows => rows.reduce((sum, row) => sum + size(row), 0), inputs = live.inputs.map(i => i.row);
    return (before(live.outputs.slice(0, out[0])) + out[1]) * before(inputs) + before(inputs.slice(0, by[0])) + by[1];
  };
  function methods() {
    const g = gradients(), cost = live.costs, about = live.formulas, k = entry(), sizes = about.sizes[k];
    const costs = { symbolic: sizes && sizes[2], reverse: cost.reverse, forward_mode: cost.tangent, forward: 2 * cost.forward, backward: 2 * cost.forward, central: 2 * cost.forward };
    get("methods").replaceChildren(...METHODS.filter(([key]) => g[key] !== null).map(([key, name]) => {
      const tr = document.createElement("tr"), error = Math.abs(g[key] - g.reverse);
      [name, digits(g[key], 10), key === "reverse" ? "–" : error === 0 ? "0" : minus(error.toExponential(1)), costs[key]].forEach(t => { const td = document.createElement("td"); td.textContent = t; tr.append(td); });
      return tr;
    }));
    const written = get("written"), said = text => { const p = document.createElement("p"); p.className = "said"; p.textContent = text; return p; };
    if (about.refused) written.replaceChildren(said("No formula: " + about.refused + "."));
    else {
      const counts = "The formula has " + sizes[0] + (sizes[0] === 1 ? " node" : " nodes") + " as a tree" + (sizes[1] < sizes[0] ? ", " + sizes[1] + " if shared parts are kept once" : "") + ".";
      const swelling = about.growth.length ? " By " + about.by + " " + about.growth.map(row => row[0]).join(", ") + ": tree " + about.growth.map(row => row[1]).join(", ") + "; shared " + about.growth.map(row => row[2]).join(", ") + "." : "";
      if (about.written[k]) {
        written.innerHTML = "<math>" + about.written[k] + "</math>";
        if (swelling) written.append(said(swelling.trim()));
        written.title = counts;
      } else written.replaceChildren(said(counts + " It is too long to be read." + swelling));
    }
    get("h").value = Math.log10(h);
    get("hvalue").textContent = "h = " + minus(h.toExponential(2));
    get("h").setAttribute("aria-valuetext", h.toExponential(2));
    const total = rows => rows.reduce((sum, row) => sum + size(row), 0), n = total(live.inputs.map(i => i.row)), m = total(live.outputs), many = (k, what) => k + " " + what + (k === 1 ? "" : "s");
    get("sweeps").textContent = "The whole Jacobian, " + m + " × " + n + ", takes reverse mode " + many(m, "sweep") + ", forward mode " + n + ", forward differences " + many(n + 1, "evaluation") + ", central ones " + 2 * n + ". Cost: rows or operations for this entry.";
    clearTimeout(curving);
    curving = setTimeout(() => curve(g), 0);
  }

  // What a Taylor series says of the error: the second and third derivative, as differences of reverse mode's first.
  function truncation(g) {
    const row = live.inputs[by[0]].row, d = 1e-4 * Math.max(1, Math.abs(g.x));
    const slope = x => element_of(program.adjoints(...input_with(by[0], by[1], x), ...g.seeds).bars[row], by[1]);
    const up = slope(g.x + d), down = slope(g.x - d), third = (up - 2 * g.reverse + down) / (d * d);
    // A difference of slopes that is all rounding is no derivative.
    const noise = 32 * 2.2e-16 * Math.abs(g.reverse);
    return { second: Math.abs(up - down) > noise ? Math.abs(up - down) / (2 * d) : 0, third: Math.abs(third) * d * d > noise ? Math.abs(third) : 0 };
  }
  function curve(g) {
    const many = live.costs.weight < 3000 ? 65 : 33, svg = get("vcurve"), lists = { f: [], b: [], c: [] };
    const width = Math.max(260, svg.clientWidth), height = Math.max(150, svg.clientHeight), left = 46, right = width - 10, top = 8, bottom = height - 22;
    const low = -17, high = 1, X = e => left + (e + 16) / 16 * (right - left), Y = e => top + (high - Math.max(low, Math.min(high, e))) / (high - low) * (bottom - top);
    svg.setAttribute("viewBox", "0 0 " + width + " " + height);
    const make = (tag, attributes, text) => {
      const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const k in attributes) e.setAttribute(k, attributes[k]);
      if (text) e.textContent = text;
      return e;
    };
    const scale = Math.max(1e-300, Math.abs(g.reverse) || 1);
    const error = d => { const e = Math.abs(d - g.reverse) / scale; return e === 0 ? low : Math.log10(e); };
    for (let k = 0; k < many; k++) {
      const e = -16 + 16 * k / (many - 1), d = differences(g.x, g.y, 10 ** e);
      for (const [c, key] of [["f", "forward"], ["b", "backward"], ["c", "central"]]) if (Number.isFinite(error(d[key]))) lists[c].push([X(e), Y(error(d[key]))]);
    }
    const parts = [], step = width < 320 ? 8 : 4;
    for (let e = -16; e <= 0; e += step) parts.push(make("line", { class: "grid", x1: X(e), x2: X(e), y1: top, y2: bottom }), make("text", { x: X(e), y: height - 6, "text-anchor": e ? "middle" : "end" }, "1e" + minus(String(e))));
    for (let e = -16; e <= 0; e += 4) parts.push(make("line", { class: "grid", x1: left, x2: right, y1: Y(e), y2: Y(e) }), make("text", { x: left - 4, y: Y(e) + 4, "text-anchor": "end" }, "1e" + minus(String(e))));
    // A straight line: log10 of the size at h = 1, and the power of h.
    const straight = (size, power) => {
      const one = Math.log10(size / scale);
      if (!Number.isFinite(one)) return;
      const from = Math.max(-16, power > 0 ? (low - one) / power : -16), to = Math.min(0, power < 0 ? one - low : 0);
      if (from < to) parts.push(make("line", { class: "part", x1: X(from), y1: Y(one + power * from), x2: X(to), y2: Y(one + power * to) }));
    };
    const { second, third } = truncation(g);
    straight(2.2e-16 * Math.abs(g.y), -1);
    straight(second / 2, 1);
    straight(third / 6, 2);
    for (const c of ["b", "f", "c"]) parts.push(make("polyline", { class: "curve " + c, points: lists[c].map(p => p.map(v => v.toFixed(1)).join(",")).join(" ") }));
    const e = Math.log10(h);
    for (const [c, key] of [["b", "backward"], ["f", "forward"], ["c", "central"]]) if (Number.isFinite(error(g[key]))) parts.push(make("circle", { class: c, r: 5, cx: X(e), cy: Y(error(g[key])) }));
    [["f", "forward"], ["b", "backward"], ["c", "central"], ["part", "··· rounding ε|f|/h, truncation"]].forEach(([c, text], k) => parts.push(make("text", { class: c, x: left + 4, y: bottom - 48 + 14 * k }, text)));
    svg.replaceChildren(...parts);
    const told = key => digits(Math.abs(g[key] - g.reverse), 2);
    svg.setAttribute("aria-label", "Errors at h = " + h.toExponential(1) + ": forward " + told("forward") + ", backward " + told("backward") + ", central " + told("central") + ". Small h: rounding, ε|f|/h. Large h: truncation, of order h, and h² for central differences.");
  }
  let resized = 0;
  addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(methods, 100); });

  // -- arrays: a strip in the node, the numbers and a field of colours in the details ---------------------
  const colour = (v, most) => Number.isFinite(v) ? (v < 0 ? "rgba(213,94,0," : "rgba(0,114,178,") + (most ? (.08 + .92 * Math.abs(v) / most).toFixed(3) : ".08") + ")" : "rgba(128,128,128,.9)";
  const biggest = list => list.reduce((m, v) => Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m, 0);
  const strips = [];
  nodes.forEach((list, row) => {
    if (size(row) <= 3) return;
    const box = list[0].querySelector(".box").getBBox(), cells = Math.min(32, size(row)), wide = (box.width - 16) / cells;
    const strip = document.createElementNS("http://www.w3.org/2000/svg", "g");
    strip.setAttribute("class", "strip");
    for (let k = 0; k < cells; k++) {
      const cell = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      for (const [name, v] of Object.entries({ x: box.x + 8 + k * wide, y: box.y + box.height - 5.5, width: wide, height: 4 })) cell.setAttribute(name, v);
      strip.append(cell);
    }
    list[0].append(strip);
    strips.push([row, strip]);
  });
  const known = (row, kind) => !/[–?]$/.test(shown[kind + row] || "–");
  also = () => strips.forEach(([place, strip]) => {
    const row = real(place), values = items_of(result.rows[row]), most = biggest(values), cells = strip.children.length, on = known(row, "v");
    for (let k = 0; k < cells; k++) strip.children[k].setAttribute("fill", on ? colour(values[Math.floor(k * values.length / cells)], most) : "none");
  });
  function field(name, values, shape) {
    const figure = document.createElement("figure"), caption = document.createElement("figcaption"), across = shape.length > 1 ? shape[shape.length - 1] : values.length, down = Math.max(1, values.length / Math.max(1, across));
    fill(caption, name + ", (" + shape.join(", ") + (shape.length === 1 ? ",)" : ")") + (values.length > 36 ? ": " + digits(Math.min(...values), 3) + " … " + digits(Math.max(...values), 3) : ""));
    if (values.length <= 36 && across <= 6) {
      const table = document.createElement("table");
      table.className = "numbers";
      for (let r = 0; r < down; r++) { const tr = table.insertRow(); for (let c = 0; c < across; c++) tr.insertCell().textContent = digits(values[r * across + c], 3); }
      figure.append(caption, table);
    } else {
      const canvas = document.createElement("canvas"), paint = canvas.getContext("2d"), most = biggest(values);
      canvas.width = across; canvas.height = down;
      canvas.style.width = Math.min(240, 12 * across) + "px"; canvas.style.height = Math.min(110, Math.max(10, 12 * down)) + "px";
      canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", caption.textContent);
      values.forEach((v, k) => { paint.fillStyle = colour(v, most); paint.fillRect(k % across, Math.floor(k / across), 1, 1); });
      figure.append(caption, canvas);
    }
    return figure;
  }
  more = (row, box) => {
    if (!live.shapes[row].length || !size(row)) return;
    if (known(row, "v")) box.append(field(live.texts[row], items_of(result.rows[row]), live.shapes[row]));
    const swept = (forward ? result.dots : result.bars)[row];
    if (known(row, "d") && !/ of \d+\)$/.test(shown["d" + row]) && swept !== null) box.append(field((forward ? live.dots : live.bars)[row], items_of(swept), live.shapes[row]));
  };

  // The element of an array by which the output changes most: the first one to look at.
  const foremost = row => { const bars = items_of(result.bars[row]).map(Math.abs); return size(row) > 1 ? Math.max(0, bars.indexOf(Math.max(...bars))) : 0; };

  // -- a loop that is rolled: its one drawn iteration shows that of the step ------------------------------
  if (live.roll) {
    const { rows, equations, symbols } = live.roll, shows = new Map(Object.entries(live.roll.real).map(([row, list]) => [Number(row), list]));
    const iteration = new Map(rows.flatMap((list, k) => list.map(row => [row, k]))), first = rows[0][0], range = get("iteration");
    let turn = 0, back_to = new Map();
    const place = step => {
      const from = step.kind === "adjoint" && step.edges ? Number(step.edges[0].split(".")[0]) : step.row;
      for (const row of [from, step.row]) if (iteration.has(row)) return iteration.get(row);
      return step.row < first ? 0 : rows.length - 1;
    };
    const set = k => {
      turn = k;
      back_to = new Map([...shows].reverse().map(([row, list]) => [list[k], row]));
      rows[k].forEach((row, j) => back_to.set(row, [...shows.keys()].find(r => shows.get(r)[k] === row && live.roll.body[j] === r)));
      range.value = k + 1;
      get("iterations").textContent = k + 1 + " of " + rows.length;
      range.setAttribute("aria-valuetext", "iteration " + get("iterations").textContent);
    };
    real = row => shows.has(row) ? shows.get(row)[turn] : row;
    drawn = row => iteration.has(row) ? back_to.get(row) ?? row : row;
    said = (kind, at) => kind === "f" ? equations[at] : symbols[at];
    turn_to = step => set(step ? place(step) : 0);
    range.max = rows.length;
    get("rolled").hidden = false;
    range.oninput = () => {
      const wanted = Number(range.value) - 1, sweep = at > 0 && !/input|primal/.test(steps[at - 1].kind);
      const k = steps.findIndex(s => /input|primal/.test(s.kind) !== sweep && iteration.has(s.row) && place(s) === wanted);
      if (k >= 0) go(k + 1);
    };
    set(0);
  }

  // -- what can be moved -------------------------------------------------------------------------------
  function control(kind, j, row, name) {
    const box = document.createElement("div"), list = moved[kind], count = size(row), array = Array.isArray(list[j]);
    box.className = "move";
    const label = document.createElement("span"), range = document.createElement("input"), number = document.createElement("input");
    fill(label, name);
    range.type = "range"; range.step = "any"; number.type = "number"; number.step = "any";
    let k = kind === "tangents" ? 0 : foremost(row);
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
  let waiting = 0;
  let left_path = () => {};
  function changed() {
    touched = true;
    compute();
    left_path();
    controls.forEach(c => c.refresh());
    show(true);
    clearTimeout(waiting);
    waiting = setTimeout(() => { methods(); record(); }, 30);
  }
  function play(mode) {
    forward = mode;
    document.documentElement.classList.toggle("forward", forward);
    get("mode").textContent = forward ? "Forward mode" : "Reverse mode";
    get("mode").setAttribute("aria-pressed", String(forward));
    document.querySelector("th:nth-child(3)").textContent = forward ? "Tangent" : "Adjoint";
    retell();
  }
  const turn = () => { play(!forward); go(Math.min(at, last)); };
  get("mode").onclick = turn;
  const whole = () => { get("whole").setAttribute("aria-pressed", String(document.documentElement.classList.toggle("whole"))); };
  get("whole").onclick = whole;
  get("reset").onclick = () => { moved = start(); build(); changed(); touched = false; show(); };
  get("h").oninput = event => { h = 10 ** Number(event.target.value); methods(); clearTimeout(waiting); waiting = setTimeout(record, 300); };
  document.addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.key === "f" || event.key === "F") turn();
    if (event.key === "w" || event.key === "W") whole();
  });
  const choices = (id, rows, chosen) => {
    const select = get(id);
    rows.forEach((row, leaf) => { const m = size(row); for (let k = 0; k < m && k < 200; k++) select.append(new Option(live.texts[row].replaceAll("\u0305", "") + (live.shapes[row].length ? place(row, k) : ""), leaf + "," + k)); });
    select.value = chosen.join(",");
    select.onchange = () => { [chosen[0], chosen[1]] = select.value.split(",").map(Number); methods(); };
  };

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

  // -- for the editor that the page may stand in ---------------------------------------------------------
  let leaving = 0;
  if (window.name === "diffkit" && parent !== window) {
    const alone = record;
    record = () => { alone(); parent.postMessage({ from: "diffkit", state: "#" + at + address() }, "*"); };
    left_path = () => {
      clearTimeout(leaving);
      if (result.left.length) leaving = setTimeout(() => parent.postMessage({ from: "diffkit", state: "#" + at + address(), left: moved.inputs.map(flat) }, "*"), 400);
    };
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
        gradients: { symbolic: g.symbolic, reverse: g.reverse, forward_mode: g.forward_mode, forward: g.forward, backward: g.backward, central: g.central },
        h, output: out.slice(), input: by.slice(), left: result.left.map(k => live.guards[k]), step: at, steps: last, mode: forward ? "forward" : "reverse",
      };
    },
  };

  document.querySelector("#details .hint").append(" F for forward mode, W for the whole picture.");
  follow = true;
  compute();
  // Does the page compute what NumPy computed? If a browser's functions were off, its numbers would be false.
  const off = live.sums.findIndex((sum, r) => { const now = flat(Array.from(items_of(result.rows[r]))).reduce((a, b) => a + b, 0), most = items_of(result.rows[r]).reduce((a, b) => Math.max(a, Math.abs(b)), 0); return sum !== null && !(Math.abs(now - sum) <= 1e-9 * Math.max(most, 1e-300) * Math.max(1, size(r))); });
  function items_of(v) { return typeof v === "object" && v !== null ? Array.from(v, Number) : [Number(v)]; }
  const mode_given = from_address();
  compute();
  by[1] = live.inputs.length ? Math.min(199, foremost(live.inputs[0].row)) : 0;
  choices("output", live.outputs, out);
  choices("input", live.inputs.map(i => i.row), by);
  build();
  if (off >= 0) get("warning").textContent = "This browser computes " + live.names[off] + " otherwise than Python did: do not trust the numbers below it.";
  if (mode_given) play(true);
  methods();
