// Arrays are flat, row by row; shapes and strides stand in the program, for a trace has no others.
const items = x => typeof x === "object" ? x : [x];
const each = (n, f, ...xs) => {
  const out = new Float64Array(n), lists = xs.map(x => typeof x === "object"), now = xs.slice();
  for (let k = 0; k < n; k++) {
    for (let j = 0; j < xs.length; j++) if (lists[j]) now[j] = xs[j][k];
    out[k] = f(...now);
  }
  return out;
};
// Calls f(k, p1, p2, ...) for all places of a shape, in order: the number of the place, and where it lies by each of the strides.
const walk = (shape, strides, f) => {
  const n = shape.reduce((a, b) => a * b, 1), at = shape.map(() => 0), p = strides.map(() => 0);
  for (let k = 0; k < n; k++) {
    f(k, ...p);
    for (let d = shape.length - 1; d >= 0; d--) {
      at[d]++;
      for (let j = 0; j < p.length; j++) p[j] += strides[j][d];
      if (at[d] < shape[d]) break;
      for (let j = 0; j < p.length; j++) p[j] -= strides[j][d] * shape[d];
      at[d] = 0;
    }
  }
};
const view = (x, shape, strides, first = 0) => {
  const from = items(x), out = new Float64Array(shape.reduce((a, b) => a * b, 1));
  walk(shape, [strides], (k, p) => { out[k] = from[first + p]; });
  return out;
};
// Elements by their places; -1 is a zero.
const take = (x, places) => { const from = items(x); return Float64Array.from(places, p => p < 0 ? 0 : from[p]); };
const joined = (...xs) => xs.flatMap(x => [...items(x)]);
const scatter = (g, n, places) => {
  const out = new Float64Array(n), from = items(g);
  places.forEach((p, k) => { out[p] += from[k]; });
  return out;
};
// Each run of m neighbours made one by f.
const fold = (x, m, f) => {
  const from = items(x), out = new Float64Array(from.length / m);
  for (let k = 0; k < out.length; k++) {
    let all = from[k * m];
    for (let j = 1; j < m; j++) all = f(all, from[k * m + j]);
    out[k] = all;
  }
  return out;
};
// The sum over the second shape of products of operands [x, strides in the first shape, strides in the second].
const contract = (shape, summed, ...xs) => {
  const lists = xs.map(x => items(x[0])), out = new Float64Array(shape.reduce((a, b) => a * b, 1));
  walk(shape, xs.map(x => x[1]), (k, ...p) => {
    let sum = 0;
    walk(summed, xs.map(x => x[2]), (_, ...q) => {
      let product = 1;
      for (let j = 0; j < lists.length; j++) product *= lists[j][p[j] + q[j]];
      sum += product;
    });
    out[k] = sum;
  });
  return out;
};
const same = (x, y) => { const b = items(y); return items(x).every((a, k) => Number(a) === Number(b[k])); };
const remainder = (x, y) => { const m = x % y; return m !== 0 && (m < 0) !== (y < 0) ? m + y : m; };
const logaddexp = (x, y) => x === y ? x + Math.LN2 : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y)));
const negative = x => x < 0 || Object.is(x, -0);
const rint = x => { const r = Math.round(x); return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r; };
