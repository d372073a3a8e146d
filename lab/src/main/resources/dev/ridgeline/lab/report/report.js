"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#777777", "#8c6d31"];
  const SYMBOLS = ["circle", "rect", "diamond", "triangle", "path://M0,0 L10,0 L5,9 Z", "roundRect", "arrow", "circle"];
  const root = document.documentElement;
  const byId = id => document.getElementById(id);
  const color = v => COLORS[data.variants.indexOf(v) % COLORS.length];
  const symbol = v => SYMBOLS[data.variants.indexOf(v) % SYMBOLS.length];
  const lengths = [...new Set(data.variants.flatMap(v => v.lengths.map(l => l.tokens)))].sort((a, b) => a - b);
  let chosenLength = lengths[0];
  let chosenVariant = null;
  let sort = { column: -1, down: false };

  const number = (x, digits) => x === undefined || x === null || Number.isNaN(x) ? "" : x.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const at = v => v.lengths.find(l => l.tokens === chosenLength);

  function element(name, text, attributes = {}) {
    const e = document.createElement(name);
    if (text !== undefined && text !== null) e.textContent = text;
    Object.entries(attributes).forEach(([k, value]) => e.setAttribute(k, value));
    return e;
  }

  const quantizedRate = data.limits.quantized_gigaflops_per_second ?? 0;
  const rated = data.variants.some(v => v.quality);
  byId("speed-quality").parentElement.hidden = !rated;

  // --- text ---

  function list(id, lines, none) {
    const ul = byId(id);
    (lines.length ? lines : [none]).forEach(l => ul.append(element("li", l)));
  }

  function texts() {
    const m = data.machine;
    byId("machine").textContent = `${m.cpu}, ${m.processors} processors, ${number(m.memory_bytes / 1e9, 1)} GB; ${data.limits.backend} (${data.limits.description}): ` +
      `reads ${number(data.limits.read_gigabytes_per_second, 1)} GB/s, does ${number(data.limits.gigaflops_per_second, 0)} GFLOP/s` +
      (quantizedRate > data.limits.gigaflops_per_second ? `, ${number(quantizedRate, 0)} with quantized weights` : "");
    byId("not-whole").hidden = !data.not_whole;
    byId("not-whole").textContent = data.not_whole ?? "";
    list("tree", data.tree, "Nothing was measured.");
    list("missing", data.missing, "Nothing: every cell of the plan was measured.");
    [
      `${data.model}: ${number(data.parameters / 1e6, 1)} M parameters, context ${data.context_length}, SHA-256 ${data.model_hash}; KV cache ${data.kv_type}.`,
      `${m.os}; ${m.jvm}; Ridgeline ${m.ridgeline}, commit ${m.commit}; record ${data.session}, with the machine's limits.`,
      `A run is a prompt of ${data.prompt_tokens} random tokens, which gives the time to the first token, and then, from an empty KV cache, random tokens one by one. ${rated ? `Quality was measured on ${data.text}.` : "Quality was not measured."}`,
      "Speeds are medians with 95 % confidence intervals by bootstrap; variants whose intervals overlap are not told apart. Percentiles are of the raw gaps between tokens.",
      "Share of the limit: the least time in which this machine could move the bytes and do the operations of a token, over the time it took. Above 100 % the measurement is wrong: of the run, of the limit, or because the weights stayed in a cache that the limit leaves out."
    ].forEach(t => byId("method").append(element("p", t)));
  }

  // --- table ---

  const COLUMNS = [
    { title: "Variant", value: v => v.name, text: true },
    { title: "tok/s", value: v => at(v)?.speed.median, cell: speedCell },
    { title: "P50 ms", value: v => at(v)?.gaps?.p50, digits: 2 },
    { title: "P95 ms", value: v => at(v)?.gaps?.p95, digits: 2 },
    { title: "P99 ms", value: v => at(v)?.gaps?.p99, digits: 2 },
    { title: "TTFT ms", value: v => at(v) && at(v).ttft.median * 1e3, cell: ttftCell },
    { title: "Memory GB", value: v => v.gigabytes, digits: 3 },
    { title: "Perplexity", value: v => v.quality?.perplexity, digits: 2 },
    { title: "KLD", value: v => v.quality?.kld_mean, digits: 4 },
    { title: "GB/s", value: v => at(v)?.gigabytes_per_second, digits: 1 },
    { title: "Share of limit", value: v => at(v)?.share, cell: shareCell },
    { title: "Limited by", value: v => at(v)?.limiter ?? "", text: true },
    { title: "Use", value: v => v.use, text: true, long: true }
  ];

  function speedCell(td, v) {
    const l = at(v);
    if (!l) return;
    td.append(number(l.speed.median, 1));
    if (l.mark) td.append(element("div", l.mark, { class: "interval" }));
    if (l.mark !== "estimated") td.append(element("div", interval(l), { class: "interval" }));
  }

  const runs = n => n === 1 ? "1 run" : `${n} runs`;
  const interval = l => l.speed.runs < 3 ? runs(l.speed.runs) : `${number(l.speed.low, 1)} to ${number(l.speed.high, 1)}`;
  const errorMark = () => element("div", "error of measurement", { class: "error" });

  function ttftCell(td, v) {
    const l = at(v);
    if (!l) return;
    td.append(number(l.ttft.median * 1e3, 1));
    if (l.prompt_above_limit) td.append(errorMark());
  }

  function shareCell(td, v) {
    const l = at(v);
    if (!l) return;
    td.append(`${number(100 * l.share, 0)} %`);
    if (l.above_limit) td.append(errorMark());
  }

  function table() {
    const head = element("tr");
    COLUMNS.forEach((c, i) => {
      const th = element("th", c.title, { tabindex: "0", scope: "col", class: c.text ? "text" : "" });
      if (sort.column === i) th.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      const turn = () => { sort = { column: i, down: sort.column === i ? !sort.down : !c.text }; table(); };
      th.addEventListener("click", turn);
      th.addEventListener("keydown", e => { if (e.key === "Enter") turn(); });
      head.append(th);
    });
    byId("variants").tHead.replaceChildren(head);
    const rows = [...data.variants];
    if (sort.column >= 0) {
      const value = COLUMNS[sort.column].value;
      rows.sort((a, b) => {
        const x = value(a), y = value(b);
        if (x === undefined || x === null) return 1;
        if (y === undefined || y === null) return -1;
        return (x < y ? -1 : x > y ? 1 : 0) * (sort.down ? -1 : 1);
      });
    }
    byId("variants").tBodies[0].replaceChildren(...rows.map(row));
  }

  function row(v) {
    const tr = element("tr", null, { tabindex: "0", "data-variant": v.name });
    if (v === chosenVariant) tr.className = "chosen";
    COLUMNS.forEach((c, i) => {
      const td = element("td", null, { class: c.long ? "text long" : c.text ? "text" : "" });
      if (i === 0) {
        td.style.whiteSpace = "nowrap";
        td.append(element("span", null, { class: "dot", style: `background:${color(v)}` }), v.name);
      } else if (c.cell) c.cell(td, v);
      else td.textContent = c.text ? c.value(v) : number(c.value(v), c.digits);
      tr.append(td);
    });
    const choose = () => { chosenVariant = chosenVariant === v ? null : v; table(); details(); };
    tr.addEventListener("click", choose);
    tr.addEventListener("keydown", e => { if (e.key === "Enter") choose(); });
    return tr;
  }

  function details() {
    const box = byId("details");
    box.hidden = !chosenVariant;
    if (!chosenVariant) return;
    const v = chosenVariant;
    const parts = [element("h2", v.name)];
    const l = at(v);
    if (l) parts.push(element("p", `Limited by ${l.limiter}: ${l.evidence}.`));
    if (v.facts) {
      const types = Object.entries(v.facts.tensors_by_type).map(([t, n]) => `${n} ${t}`).join(", ");
      parts.push(element("p", `${number(v.facts.bits_per_weight, 2)} bits a weight (tensors: ${types}). Weights ${mb(v.facts.weight_bytes)}, repacked ${mb(v.facts.repacked_bytes)}, KV ${mb(v.facts.kv_bytes)}, activations ${mb(v.facts.activation_bytes)}; to load it, staging ${mb(v.facts.staging_bytes)}. Record variant/${v.name}.`));
    }
    if (v.quality) parts.push(element("p", `Perplexity ${number(v.quality.perplexity, 3)} ± ${number(v.quality.standard_error, 3)} over ${v.quality.tokens} tokens; KLD ${number(v.quality.kld_mean, 5)} ± ${number(v.quality.kld_standard_error, 5)}, P99 ${number(v.quality.kld_percentiles.p99, 4)}; same top token ${number(100 * v.quality.top_agreement, 2)} %. Record quality/${v.name}.`));
    if (l) {
      const t = element("table");
      const head = element("tr");
      ["Record", "tok/s", "mean ms", "P50", "P95", "P99", "max", "TTFT ms"].forEach(h => head.append(element("th", h)));
      t.append(head);
      l.runs.forEach(r => {
        const tr = element("tr");
        const id = element("td");
        id.append(element("code", r.record));
        tr.append(id);
        [[r.speed, 1], [r.latency_millis, 3], [r.gaps?.p50, 3], [r.gaps?.p95, 3], [r.gaps?.p99, 3], [r.gaps?.max, 3], [r.ttft_millis, 1]].forEach(([x, d]) => tr.append(element("td", number(x, d))));
        t.append(tr);
      });
      const scroll = element("div", null, { class: "scroll" });
      scroll.append(t);
      parts.push(scroll);
    }
    box.replaceChildren(...parts);
  }

  const mb = bytes => `${number(bytes / 1e6, 1)} MB`;

  function lengthButtons() {
    byId("lengths").replaceChildren(...lengths.map(n => {
      const b = element("button", String(n), { type: "button", "aria-pressed": String(n === chosenLength), "data-length": n });
      b.addEventListener("click", () => { chosenLength = n; lengthButtons(); table(); details(); draw(); });
      return b;
    }));
  }

  // --- charts ---

  const charts = {};
  const css = name => getComputedStyle(root).getPropertyValue(name).trim();

  function base(x, y) {
    const axis = a => ({
      nameLocation: "middle", scale: true,
      nameTextStyle: { color: css("--dim") }, axisLabel: { color: css("--dim"), hideOverlap: true },
      axisLine: { lineStyle: { color: css("--line") } }, splitLine: { lineStyle: { color: css("--line") } }, ...a
    });
    return {
      animation: false, textStyle: { fontFamily: 'system-ui, "DejaVu Sans", sans-serif' }, aria: { enabled: true },
      grid: { left: 80, right: 20, top: 22, bottom: innerWidth > 760 ? 96 : 130 },
      legend: { bottom: 0, itemWidth: 14, itemHeight: 10, itemGap: 14, textStyle: { color: css("--text") } },
      tooltip: { confine: true, backgroundColor: css("--panel"), borderColor: css("--line"), textStyle: { color: css("--text") } },
      xAxis: axis({ nameGap: 28, ...x }), yAxis: axis({ nameGap: 60, ...y })
    };
  }

  /** Its name, with what its speed is besides measured as planned. */
  const label = v => [v.name, at(v).mark && `(${at(v).mark})`, at(v).above_limit && "(error)"].filter(Boolean).join(" ");

  function tip(v, l, lines) {
    const records = l.runs.length > 1 ? `${l.runs[0].record} to ${l.runs.length}` : l.runs[0].record;
    return [`<b>${label(v)}</b>`, ...lines, `<small>${records}</small>`].join("<br>");
  }

  function points(x, y, lines) {
    return data.variants.filter(v => at(v) && Number.isFinite(x(v)) && Number.isFinite(y(v))).map(v => ({
      name: label(v), type: "scatter", symbolSize: 15, symbol: symbol(v), itemStyle: { color: color(v) },
      data: [[x(v), y(v)]], label: { show: true, formatter: v.name, position: "top", color: css("--text"), fontSize: 11 }, labelLayout: { hideOverlap: true, moveOverlap: "shiftY" },
      tooltip: { formatter: () => tip(v, at(v), lines(v)) }
    }));
  }

  /** From the lower to the upper end of each speed's interval. */
  function bars(x) {
    return data.variants.filter(v => at(v)?.speed.runs >= 3 && Number.isFinite(x(v))).map(v => ({
      type: "line", data: [[x(v), at(v).speed.low], [x(v), at(v).speed.high]], symbol: "none", silent: true, lineStyle: { color: css("--dim"), width: 1.4 }
    }));
  }

  function front(name, chosen, x, y) {
    const on = data.variants.filter(v => chosen(v) && at(v) && Number.isFinite(x(v))).sort((a, b) => x(a) - x(b));
    return { name, type: "line", data: on.map(v => [x(v), y(v)]), symbol: "none", silent: true, lineStyle: { type: "dashed", color: css("--dim") }, itemStyle: { color: css("--dim") } };
  }

  const speed = v => at(v)?.speed.median;
  const speedLine = v => `${number(speed(v), 1)} tok/s` + (at(v).mark === "estimated" ? "" : ` (${interval(at(v))})`);
  const memory = v => v.gigabytes;
  const loss = v => v.quality?.kld_mean;

  const OPTIONS = {
    "speed-memory": () => ({
      ...base({ name: "memory (GB)" }, { name: "tokens per second" }),
      series: [front("front", v => v.on_frontier, memory, speed), ...bars(memory), ...points(memory, speed, v => [speedLine(v), `${number(v.gigabytes, 3)} GB`])]
    }),
    "speed-quality": () => ({
      ...base({ name: "divergence from the source (nats a token)" }, { name: "tokens per second" }),
      series: [front("Pareto front", v => v.on_front, loss, speed), ...bars(loss), ...points(loss, speed, v => [speedLine(v), `divergence ${number(loss(v), 5)}, perplexity ${number(v.quality.perplexity, 2)}`])]
    }),
    "efficiency": () => {
      const x = rated ? loss : memory, y = v => speed(v) / v.gigabytes;
      const lines = v => [`${number(y(v), 1)} tok/s for each GB`, rated ? `divergence ${number(loss(v), 5)}, perplexity ${number(v.quality?.perplexity, 2)}` : `${number(v.gigabytes, 3)} GB`];
      return {
        ...base({ name: rated ? "divergence from the source (nats a token)" : "memory (GB)" }, { name: "tok/s for each GB" }),
        series: [front("frontier", v => v.on_efficiency, x, y), ...points(x, y, lines)]
      };
    },
    "latency": () => ({
      ...base({ name: "milliseconds", type: "log" }, { name: "share of gaps (%)", min: 0, max: 100 }),
      tooltip: { show: false },
      series: data.variants.filter(v => at(v)?.curve.length).map(v => ({
        name: label(v), type: "line", showSymbol: false, data: at(v).curve, lineStyle: { color: color(v), width: 2 }, itemStyle: { color: color(v) }
      }))
    }),
    "roofline": () => {
      const bandwidth = data.limits.read_gigabytes_per_second, floats = data.limits.gigaflops_per_second;
      const rate = Math.max(floats, quantizedRate), ridge = rate / bandwidth;
      const right = Math.max(10 * ridge, 1000);
      return {
        ...base({ name: "operations for each byte moved", type: "log" }, { name: "GFLOP/s", type: "log" }),
        series: [
          { name: "limit", type: "line", symbol: "none", silent: true, data: [[0.1, 0.1 * bandwidth], [ridge, rate], [right, rate]], lineStyle: { color: css("--text"), width: 2 }, itemStyle: { color: css("--text") } },
          ...(floats < rate ? [{ name: "limit, weights in floats", type: "line", symbol: "none", silent: true, data: [[floats / bandwidth, floats], [right, floats]], lineStyle: { color: css("--text"), width: 1.5, type: "dashed" }, itemStyle: { color: css("--text") } }] : []),
          ...data.variants.filter(at).map(v => ({
            name: label(v), type: "line", lineStyle: { color: color(v), width: 1 }, itemStyle: { color: color(v) }, symbol: symbol(v), symbolSize: 12,
            data: [{ value: at(v).generate_point }, { value: at(v).prompt_point, itemStyle: { color: css("--bg"), borderColor: color(v), borderWidth: 2 } }],
            tooltip: { formatter: p => tip(v, at(v), [p.dataIndex === 0 ? "generation" : "prompt", `${number(p.value[0], 2)} operations a byte`, `${number(p.value[1], 1)} GFLOP/s`]) }
          }))
        ]
      };
    }
  };

  function draw() {
    Object.entries(OPTIONS).filter(([id]) => !byId(id).parentElement.hidden).forEach(([id, option]) => {
      charts[id] ??= echarts.init(byId(id), null, { renderer: "svg" });
      charts[id].setOption(option(), true);
    });
  }

  function theme(dark) {
    root.dataset.theme = dark ? "dark" : "light";
    draw();
  }

  texts();
  lengthButtons();
  table();
  const preference = matchMedia("(prefers-color-scheme: dark)");
  theme(preference.matches);
  preference.addEventListener("change", e => theme(e.matches));
  byId("theme").addEventListener("click", () => theme(root.dataset.theme !== "dark"));
  addEventListener("resize", () => { draw(); Object.values(charts).forEach(c => c.resize()); });
})();
