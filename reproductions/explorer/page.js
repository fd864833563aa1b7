'use strict';

// --- The numbers -----------------------------------------------------------------------------------------------------------

const data = JSON.parse(document.getElementById('data').textContent);
const OUTCOMES = ['not finite', 'not converged', 'success'];  // by number
const COLORS = ['--diverged', '--unconverged', '--success'];
const runs = data.seed.length;
const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const element = id => document.getElementById(id);
const number = (value, i) => value === null ? (data.outcome[i] ? 'none' : 'not finite') : Math.abs(value) >= 1e4 || (value && Math.abs(value) < 1e-3)
  ? value.toExponential(2) : String(+value.toPrecision(4));

function bytes(text) {
  return Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
}

const history = Object.entries(data.history || {}).map(([name, one]) => ({
  name, steps: one.steps, values: new Float32Array(bytes(one.values).buffer)}));
const curves = data.curves && {...data.curves, values: bytes(data.curves.values),
  scales: new Float32Array(bytes(data.curves.scales).buffer)};
const moments = curves ? curves.steps.length : 1;

const state = {seed: 0, kept: false, moment: moments - 1, shown: new Set([0, 1, 2]), brushed: null, cell: null,
  x: data.axes[0], y: data.axes[1]};

function listed() {  // rows that are drawn
  return d3.range(runs).filter(i => state.shown.has(data.outcome[i]) && (state.cell === null || data.cell[i] === state.cell));
}

// --- The scatter of seeds --------------------------------------------------------------------------------------------------

const MARGIN = {top: 8, right: 12, bottom: 58, left: 56}, HEIGHT = 400, STRIP = 22;
const scatter = d3.select('#scatter'), svg = scatter.append('svg').attr('height', HEIGHT);
const canvas = scatter.append('canvas').node();
const groups = {x: svg.append('g'), y: svg.append('g')};
const brush = svg.append('g');
svg.append('text').attr('class', 'strip').attr('x', 4);
svg.append('text').attr('class', 'name-x').attr('text-anchor', 'middle');
svg.append('text').attr('class', 'name-y').attr('text-anchor', 'middle').attr('transform', 'rotate(-90)');
let places = [], finder = null;

function scale(name, range) {  // logarithmic in both directions where the numbers span many sizes
  const values = listed().map(i => data.columns[name][i]).filter(v => v !== null && isFinite(v));
  const [low, high] = values.length ? d3.extent(values) : [0, 1];
  const sizes = values.map(Math.abs).filter(v => v > 0), middle = d3.median(sizes) || 1;
  const wide = (high - low) > 40 * middle || (low > 0 && high > 100 * low);
  const pad = (high - low || 1) * 0.04;
  if (wide && low > 0) return d3.scaleLog([low / 1.15, high * 1.15], range);
  if (wide) return d3.scaleSymlog([low - pad, high + pad], range).constant(middle);
  return d3.scaleLinear([low - pad, high + pad], range);
}

function ticks(scale, apart) {  // round numbers that are so many pixels apart; d3's own for symlog lie where no dots are
  if (!scale.base && !scale.constant) return null;
  const [low, high] = scale.domain(), most = Math.max(Math.abs(low), Math.abs(high));
  const least = scale.constant ? scale.constant() / 10 : low;
  const sizes = d3.range(Math.floor(Math.log10(least)), Math.ceil(Math.log10(most)) + 1).map(k => 10 ** k);
  const finer = most / least > 1e3 ? sizes : sizes.flatMap(size => [size, 2 * size, 5 * size]);
  const all = scale.constant ? [0, ...finer.flatMap(size => [size, -size])] : finer;
  const kept = [];  // the largest first, and 0 before all
  for (const value of d3.sort(all.filter(v => low <= v && v <= high), v => v === 0 ? -Infinity : -Math.abs(v))) {
    if (kept.every(other => Math.abs(scale(other) - scale(value)) >= apart)) kept.push(value);
  }
  return kept;
}

function axisOf(axis, scale, count, apart) {
  const values = ticks(scale, apart);
  return values ? axis(scale).tickValues(values).tickFormat(d3.format('~g')) : axis(scale).ticks(count);
}

function redraw() {
  performance.mark('redraw-start');
  const width = scatter.node().clientWidth, rows = listed(), floor = HEIGHT - MARGIN.bottom;
  const x = scale(state.x, [MARGIN.left, width - MARGIN.right]), y = scale(state.y, [floor, MARGIN.top]);
  svg.attr('viewBox', `0 0 ${width} ${HEIGHT}`);
  groups.x.attr('transform', `translate(0,${floor})`).call(axisOf(d3.axisBottom, x, width / 70, 44));
  groups.y.attr('transform', `translate(${MARGIN.left},0)`).call(axisOf(d3.axisLeft, y, 6, 22));
  svg.select('.name-x').attr('x', width / 2).attr('y', HEIGHT - 24).text(words(state.x));
  svg.select('.name-y').attr('x', -floor / 2).attr('y', 13).text(words(state.y));
  const nowhere = rows.filter(i => !placed(i)), diverged = nowhere.filter(i => data.outcome[i] === 0).length;
  const told = [['not finite', diverged], ['none', nowhere.length - diverged]].filter(each => each[1]);
  svg.select('.strip').attr('y', HEIGHT - 5).text(told.map(each => each.join(': ')).join(', '));
  const along = d3.scalePoint(nowhere, [MARGIN.left + 60, width - MARGIN.right]);
  places = rows.map(i => placed(i) ? [x(data.columns[state.x][i]), y(data.columns[state.y][i]), i]
    : [along(i), HEIGHT - STRIP / 2, i]);
  finder = d3.quadtree(places, p => p[0], p => p[1]);
  const ratio = window.devicePixelRatio || 1, pen = canvas.getContext('2d');
  canvas.width = width * ratio, canvas.height = HEIGHT * ratio;
  canvas.style.width = `${width}px`, canvas.style.height = `${HEIGHT}px`;
  pen.scale(ratio, ratio);
  for (const outcome of [1, 0, 2]) {
    pen.fillStyle = pen.strokeStyle = color(COLORS[outcome]);
    for (const [px, py, i] of places) {
      if (data.outcome[i] !== outcome) continue;
      pen.globalAlpha = !state.brushed || state.brushed.has(i) ? 0.65 : 0.12;
      pen.beginPath();
      if (outcome === 0) {  // a cross, so that color is not all that tells
        pen.moveTo(px - 3, py - 3), pen.lineTo(px + 3, py + 3), pen.moveTo(px - 3, py + 3), pen.lineTo(px + 3, py - 3);
        pen.stroke();
      } else {
        pen.arc(px, py, 3.2, 0, 2 * Math.PI);
        outcome === 2 ? pen.fill() : pen.stroke();
      }
    }
  }
  const chosen = places.find(p => p[2] === state.seed);
  if (chosen) {
    pen.globalAlpha = 1, pen.lineWidth = 2, pen.strokeStyle = color('--ink');
    pen.beginPath(), pen.arc(chosen[0], chosen[1], 7, 0, 2 * Math.PI), pen.stroke();
  }
  brusher.extent([[MARGIN.left, 0], [width - MARGIN.right, HEIGHT]]);
  if (redraw.width !== width) brush.call(brusher);
  redraw.width = width;
  performance.measure('redraw', 'redraw-start');
}

const placed = i => [state.x, state.y].every(name => data.columns[name][i] !== null && isFinite(data.columns[name][i]));
const words = name => name.replace(/^loss_([dg])$/, '$1_loss').replace(/^([dg])_/, (_, letter) => `${letter.toUpperCase()}: `).replaceAll('_', ' ');

const brusher = d3.brush().touchable(false).on('end', event => {
  if (!event.sourceEvent) return;
  const box = event.selection;
  state.brushed = box && new Set(places.filter(([px, py]) => px >= box[0][0] && px <= box[1][0] && py >= box[0][1]
    && py <= box[1][1]).map(p => p[2]));
  if (!box) keep(event.sourceEvent);
  element('clear').hidden = !state.brushed;
  tellSelection(), redraw();
});

function clearBrush() {
  state.brushed = null, element('clear').hidden = true;
  if (redraw.width) brush.call(brusher.move, null);
  tellSelection();
}

function nearest(event) {
  const [px, py] = d3.pointer(event.touches ? event.touches[0] || event.changedTouches[0] : event, svg.node());
  const found = finder && finder.find(px, py, 24);
  return found ? found[2] : null;
}

function keep(event) {
  const i = nearest(event);
  if (i !== null) state.kept = true, choose(i);
}

svg.on('mousemove', event => {
  const i = nearest(event);
  if (i !== null && !state.kept && !event.buttons) choose(i);
}).on('mouseleave', () => { state.kept = false; });

function tellSelection() {
  const rows = [...state.brushed || []].filter(i => state.shown.has(data.outcome[i])), good = rows.filter(i => data.outcome[i] === 2).length;
  element('selection').textContent = state.brushed
    ? `${rows.length.toLocaleString('en')} selected, ${good} of them succeed`
      + (rows.length ? ` (${(100 * good / rows.length).toFixed(1)} %)` : '') : '';
}

// --- One seed --------------------------------------------------------------------------------------------------------------

function choose(i) {
  state.seed = i;
  const where = state.cell !== null || data.kind === 'sweep' ? data.cells[data.cell[i]] + ' ' : '';
  element('seed-title').textContent = `Seed ${data.seed[i]}: ${OUTCOMES[data.outcome[i]]}`;
  element('command').textContent = `${data.command} ${where}--seed=${data.seed[i]}`;
  d3.select('#numbers').html('').append('tbody').selectAll('tr').data(Object.keys(data.columns)).join('tr').append('div')
    .attr('class', 'pair').call(pair => {
      pair.append('th').attr('scope', 'row').text(words);
      pair.append('td').text(name => number(data.columns[name][i], i));
    });
  drawCurves(), drawLosses(), redraw();
}

function chart(parent, title, x, y, lines, height = 190) {
  const width = Math.max(parent.node().clientWidth, 160), edge = {top: 22, right: 8, bottom: 22, left: 40};
  const box = parent.append('svg').attr('viewBox', `0 0 ${width} ${height}`).attr('role', 'img').attr('aria-label', title);
  x.range([edge.left, width - edge.right]), y.range([height - edge.bottom, edge.top]);
  box.append('text').attr('class', 'title').attr('x', edge.left).attr('y', 14).text(title);
  box.append('g').attr('transform', `translate(0,${height - edge.bottom})`).call(d3.axisBottom(x).ticks(width / 60));
  box.append('g').attr('transform', `translate(${edge.left},0)`).call(d3.axisLeft(y).ticks(4));
  const inside = `inside-${chart.made = (chart.made || 0) + 1}`;  // a line that leaves its chart is cut off
  box.append('clipPath').attr('id', inside).append('rect').attr('x', edge.left).attr('y', edge.top)
    .attr('width', width - edge.left - edge.right).attr('height', height - edge.top - edge.bottom);
  const plot = box.append('g').attr('clip-path', `url(#${inside})`);
  for (const {points, stroke, dash, fill} of lines) {
    const finite = p => Boolean(p) && p[1] !== null && isFinite(p[1]), good = points.filter(finite);
    if (fill) {
      plot.append('path').attr('d', d3.area(p => x(p[0]), y(y.domain()[0]), p => y(p[1]))(good)).attr('fill', stroke)
        .attr('fill-opacity', 0.22);
    } else {
      plot.append('path').attr('d', d3.line(p => x(p[0]), p => y(p[1])).defined(finite)(points))
        .attr('fill', 'none').attr('stroke', stroke).attr('stroke-width', 1.8).attr('stroke-dasharray', dash || null);
      const alone = points.filter((p, i) => finite(p) && !finite(points[i - 1]) && !finite(points[i + 1]));
      plot.append('g').selectAll('circle').data(alone).join('circle').attr('cx', p => x(p[0])).attr('cy', p => y(p[1]))
        .attr('r', 2.5).attr('fill', stroke);
    }
  }
  return box;
}

function decoded(k) {  // the k-th curve of the chosen seed at the chosen moment: D, density, G of the noise
  const n = curves.x.length, at = (state.moment * runs + state.seed) * 3 + k, [low, high] = curves.scales.subarray(2 * at);
  return Array.from(curves.values.subarray(at * n, at * n + n), b => b === 255 ? null : low + (high - low) * b / 254);
}

function drawCurves() {
  const parent = d3.select('#curves').html('');
  if (data.pictures) {
    const address = data.pictures[state.seed];
    if (address) parent.append('img').attr('src', address).attr('alt', `Digits of seed ${data.seed[state.seed]}`);
    else parent.append('p').attr('class', 'hint').text(`Digits are kept of the first ${data.pictures.length} seeds.`);
    return;
  }
  if (!curves) return;
  const pair = parent.append('div').attr('class', 'charts');
  const join = (x, y) => x.map((v, i) => [v, y[i]]), density = decoded(1);
  const top = Math.max(1, 1.1 * d3.max(curves.real), Math.min(d3.max(density) || 0, 3 * d3.max(curves.real)));
  chart(pair.append('div'), curves.title,
    d3.scaleLinear(d3.extent(curves.x), [0, 1]), d3.scaleLinear([0, top], [0, 1]), [
      {points: join(curves.x, curves.real), stroke: color('--real'), fill: true},
      {points: join(curves.x, decoded(0)), stroke: color('--decision'), dash: '5 3'},
      {points: join(curves.x, density), stroke: color('--generated')}]);
  const mapped = decoded(2);
  const span = d3.extent([...curves.x, ...mapped.filter(v => v !== null)]);
  chart(pair.append('div'), 'Noise z to G(z)', d3.scaleLinear(d3.extent(curves.z), [0, 1]), d3.scaleLinear(span, [0, 1]),
    [{points: join(curves.z, mapped), stroke: color('--generated')}]);
  const legend = parent.append('div').attr('class', 'hint');
  for (const [name, text] of [['--real', 'data'], ['--generated', 'generated'], ['--decision', 'D (dashed)']]) {
    legend.append('span').attr('class', 'dot').style('background', color(name));
    legend.append('span').text(`${text}  `).style('margin-right', '1em');
  }
  if (density.includes(null)) legend.append('span').text('Its networks are not finite at this moment.');
  element('moment').value = state.moment;
  element('step').textContent = `iteration ${curves.steps[state.moment].toLocaleString('en')}`;
}

function drawLosses() {
  const parent = d3.select('#losses').html('');
  if (!history.length) return;
  const grid = parent.append('div').attr('class', 'charts'), n = one => one.steps.length;
  const row = one => one.steps.map((step, j) => [step, one.values[state.seed * n(one) + j]]);
  const losses = history.filter(one => one.name === 'loss_d' || one.name === 'loss_g');
  const others = history.filter(one => !losses.includes(one)).slice(0, 3);
  const panels = [losses.length && ['Losses: D (dashed) and G', losses], ...others.map(one => [words(one.name), [one]])];
  for (const [title, lines] of panels.filter(Boolean)) {
    const points = lines.map(row), values = points.flat().map(p => p[1]).filter(isFinite);
    if (!values.length) {
      grid.append('p').attr('class', 'hint').text(`${title}: never finite`);
      continue;
    }
    const stroke = ['--decision', '--generated'];
    const box = chart(grid.append('div'), title, d3.scaleLinear(d3.extent(lines[0].steps), [0, 1]),
      d3.scaleLinear([Math.min(0, d3.quantile(values, 0.005)), Math.max(0, d3.quantile(values, 0.995)) || 1], [0, 1]).nice()
        .clamp(true),
      points.map((line, k) => ({points: line, stroke: color(lines.length > 1 ? stroke[k] : '--success'),
        dash: lines.length > 1 && k === 0 ? '5 3' : null})), 150);
    box.classed('loss', true);
  }
}

// --- A sweep's map ---------------------------------------------------------------------------------------------------------

function drawMap() {
  const names = Object.keys(data.vary), sizes = names.map(name => data.vary[name].length);
  const layers = names.length === 3 ? sizes[0] : 1, layer = +element('layer').value || 0;
  const up = names.length > 1 ? sizes.at(-2) : 1, right = sizes.at(-1);
  const counts = d3.rollup(d3.range(runs), rows => [rows.filter(i => data.outcome[i] === 2).length, rows.length],
    i => data.cell[i]);
  const parent = d3.select('#map').html(''), width = parent.node().clientWidth, left = 110, bottom = 46;
  const side = Math.max(18, Math.min(64, (width - left) / right)), high = 34;
  const box = parent.append('svg').attr('viewBox', `0 0 ${width} ${up * high + bottom}`);
  const shade = d3.scaleSequential([0, d3.max([...counts.values()], c => c[0] / c[1]) || 1], d3.interpolateCividis);
  for (const [a, b] of d3.cross(d3.range(up), d3.range(right))) {
    const cell = (layers > 1 ? layer * up * right : 0) + a * right + b, [good, all] = counts.get(cell) || [0, 0];
    const share = all ? good / all : null, px = left + b * side, py = (up - 1 - a) * high;
    const label = `${data.cells[cell]}: ${all ? `${good} of ${all} seeds succeed` : 'not done'}`;
    box.append('rect').attr('x', px).attr('y', py).attr('width', side).attr('height', high).attr('tabindex', all ? 0 : null)
      .attr('role', 'button').attr('aria-label', label).attr('fill', all ? shade(share) : 'transparent')
      .classed('chosen', state.cell === cell)
      .on('click', () => all && open(cell))
      .on('keydown', event => { if (!all || (event.key !== 'Enter' && event.key !== ' ')) return;
        event.preventDefault(), open(cell), d3.select('#map .chosen').node().focus();  // the map was drawn anew
      })
      .append('title').text(label);
    if (all && side > 24) {
      box.append('text').attr('x', px + side / 2).attr('y', py + high / 2 + 4).attr('text-anchor', 'middle')
        .style('fill', d3.lab(shade(share)).l > 55 ? '#000' : '#fff').style('pointer-events', 'none').text(Math.round(100 * share));
    }
  }
  const across = data.vary[names.at(-1)], upward = names.length > 1 ? data.vary[names.at(-2)] : [''];
  across.forEach((value, b) => box.append('text').attr('x', left + (b + 0.5) * side).attr('y', up * high + 14)
    .attr('text-anchor', 'middle').text(short(value)));
  upward.forEach((value, a) => box.append('text').attr('x', left - 8).attr('y', (up - 1 - a) * high + high / 2 + 4)
    .attr('text-anchor', 'end').text(short(value)));
  box.append('text').attr('x', left).attr('y', up * high + 36)
    .text(`across: ${words(names.at(-1))}${names.length > 1 ? `; up: ${words(names.at(-2))}` : ''}; in percent`);
}

const short = value => isNaN(value) ? value : String(+(+value).toPrecision(2));

function open(cell) {
  state.cell = cell, clearBrush();
  element('seeds-title').textContent = `Seeds of ${data.cells[cell]}`;
  drawMap(), tellLegend(), choose(listed()[0] ?? data.cell.indexOf(cell));
}

// --- Controls --------------------------------------------------------------------------------------------------------------

function tellLegend() {
  const rows = d3.range(runs).filter(i => state.cell === null || data.cell[i] === state.cell);
  const legend = d3.select('#legend').html('');
  for (const outcome of [2, 1, 0]) {
    const label = legend.append('label');
    label.append('input').attr('type', 'checkbox').property('checked', state.shown.has(outcome)).on('change', event => {
      event.target.checked ? state.shown.add(outcome) : state.shown.delete(outcome);
      tellSelection(), redraw();
    });
    label.append('span').attr('class', 'dot').style('background', `var(${COLORS[outcome]})`);
    label.append('span').text(`${OUTCOMES[outcome]}: ${rows.filter(i => data.outcome[i] === outcome).length.toLocaleString('en')}`);
  }
}

function walk(by) {  // to the next or previous of the drawn, or selected, seeds
  const rows = listed().filter(i => !state.brushed || state.brushed.has(i));
  if (!rows.length) return;
  const at = rows.indexOf(state.seed);
  state.kept = true, choose(rows[(at + by + rows.length) % rows.length]);
}

let timer = null;
function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => { state.moment = (state.moment + 1) % moments; drawCurves(); }, 220) : null;
  element('play').textContent = on ? 'Pause' : 'Play';
  element('play').setAttribute('aria-pressed', on);
}

for (const which of ['x', 'y']) {
  d3.select(`#${which}`).selectAll('option').data(Object.keys(data.columns)).join('option').attr('value', name => name)
    .text(words).property('selected', name => name === state[which]);
  element(which).addEventListener('change', event => {
    state[which] = event.target.value, clearBrush(), redraw();
  });
}
element('clear').addEventListener('click', () => { clearBrush(), redraw(); });
element('play').addEventListener('click', () => play(!timer));
element('moment').addEventListener('input', event => { play(false), state.moment = +event.target.value, drawCurves(); });
element('copy').addEventListener('click', async () => {
  const text = element('command').textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // a page that was opened as a file may not use the clipboard
    const area = document.body.appendChild(document.createElement('textarea'));
    area.value = text, area.select(), document.execCommand('copy'), area.remove();
  }
  element('copy').textContent = 'Copied';
  setTimeout(() => { element('copy').textContent = 'Copy'; }, 1500);
});
document.addEventListener('keydown', event => {
  if (event.target.matches('select, input, button, rect')) return;
  if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') event.preventDefault(), walk(event.key === 'ArrowRight' ? 1 : -1);
  if (event.key === ' ' && moments > 1) event.preventDefault(), play(!timer);
});
function everything() {
  if (data.kind === 'sweep') drawMap();
  choose(state.seed);
}
new ResizeObserver(() => { if (redraw.width !== scatter.node().clientWidth) everything(); }).observe(scatter.node());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', everything);

const good = data.outcome.filter(outcome => outcome === 2).length;
element('summary').textContent = `${good.toLocaleString('en')} of ${runs.toLocaleString('en')} `
  + `${data.kind === 'sweep' ? 'trainings' : 'seeds'} succeed (${(100 * good / runs).toFixed(1)} %)`;
if (moments > 1) element('played').hidden = false, element('moment').max = moments - 1;
if (data.kind === 'sweep') {
  element('map-part').hidden = false;
  const names = Object.keys(data.vary);
  if (names.length === 3) {
    element('layer-label').hidden = false, element('layer-label').firstChild.textContent = `${words(names[0])} `;
    d3.select('#layer').selectAll('option').data(data.vary[names[0]]).join('option').attr('value', (_, k) => k).text(v => v);
    element('layer').addEventListener('change', drawMap);
  }
  open(data.cell[0]);
} else {
  tellLegend(), choose(0);
}
