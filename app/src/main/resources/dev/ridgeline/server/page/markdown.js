"use strict";
/* Markdown as models write it, to DOM nodes: text never becomes HTML, so that nothing in it can run. */
const Markdown = (() => {
  const INLINE = /(`+)([\s\S]*?[^`])\1(?!`)|\*\*([^\s*][\s\S]*?)\*\*|__([^\s_][\s\S]*?)__|\*([^\s*][^*]*?)\*|\b_([^\s_][^_]*?)_\b|~~([^~]+)~~|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/;

  const element = (tag, ...children) => {
    const node = document.createElement(tag);
    node.append(...children);
    return node;
  };

  function inline(text) {
    const nodes = [];
    let rest = text;
    while (rest) {
      const m = INLINE.exec(rest);
      if (!m) { nodes.push(rest); break; }
      if (m.index) nodes.push(rest.slice(0, m.index));
      if (m[2] !== undefined) nodes.push(element("code", m[2].trim() || m[2]));
      else if (m[3] ?? m[4]) nodes.push(element("strong", ...inline(m[3] ?? m[4])));
      else if (m[5] ?? m[6]) nodes.push(element("em", ...inline(m[5] ?? m[6])));
      else if (m[7]) nodes.push(element("del", ...inline(m[7])));
      else {
        const link = element("a", ...inline(m[8]));
        link.href = m[9];
        link.rel = "noopener noreferrer";
        link.target = "_blank";
        nodes.push(link);
      }
      rest = rest.slice(m.index + m[0].length);
    }
    return nodes;
  }

  const lines = (text) => text.split("\n").flatMap((l, i) => (i ? [document.createElement("br"), ...inline(l)] : inline(l)));
  const cells = (row) => row.trim().replace(/^\||\|$/g, "").split("|").map((c) => c.trim());
  const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;

  function list(rows, from) {
    const first = ITEM.exec(rows[from]);
    const indent = first[1].length;
    const node = document.createElement(/\d/.test(first[2]) ? "ol" : "ul");
    if (node.tagName === "OL") node.start = parseInt(first[2], 10);
    let i = from;
    while (i < rows.length) {
      const m = ITEM.exec(rows[i]);
      if (m && m[1].length === indent) { node.append(element("li", ...inline(m[3]))); i++; }
      else if (m && m[1].length > indent) { const [inner, next] = list(rows, i); node.lastChild.append(inner); i = next; }
      else if (!m && /^\s+\S/.test(rows[i])) { node.lastChild.append(" ", ...inline(rows[i].trim())); i++; }
      else break;
    }
    return [node, i];
  }

  function render(text) {
    const out = document.createDocumentFragment();
    const rows = text.replace(/\r\n?/g, "\n").split("\n");
    let i = 0;
    while (i < rows.length) {
      const row = rows[i];
      const fence = /^\s*(```+|~~~+)\s*([\w+#.-]*)/.exec(row);
      const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(row);
      if (fence) {
        const body = [];
        i++;
        while (i < rows.length && !rows[i].trim().startsWith(fence[1])) body.push(rows[i++]);
        i++;
        const code = element("code", body.join("\n"));
        if (fence[2]) code.dataset.language = fence[2];
        const pre = element("pre", code);
        pre.tabIndex = 0; // so that a keyboard can scroll it
        pre.setAttribute("aria-label", fence[2] ? `Code, ${fence[2]}` : "Code");
        pre.setAttribute("role", "region");
        out.append(pre);
      } else if (heading) {
        out.append(element(`h${Math.min(6, heading[1].length + 2)}`, ...inline(heading[2])));
        i++;
      } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(row)) {
        out.append(document.createElement("hr"));
        i++;
      } else if (/^\s*>/.test(row)) {
        const body = [];
        while (i < rows.length && /^\s*>/.test(rows[i])) body.push(rows[i++].replace(/^\s*>\s?/, ""));
        out.append(element("blockquote", render(body.join("\n"))));
      } else if (ITEM.test(row)) {
        const [node, next] = list(rows, i);
        out.append(node);
        i = next;
      } else if (row.includes("|") && /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(rows[i + 1] ?? "") && rows[i + 1].includes("-")) {
        const head = element("tr", ...cells(row).map((c) => element("th", ...inline(c))));
        const body = document.createElement("tbody");
        i += 2;
        while (i < rows.length && rows[i].includes("|")) body.append(element("tr", ...cells(rows[i++]).map((c) => element("td", ...inline(c)))));
        out.append(element("table", element("thead", head), body));
      } else if (!row.trim()) {
        i++;
      } else {
        const body = [];
        while (i < rows.length && rows[i].trim() && !/^\s*(```|~~~|>|#{1,6}\s)/.test(rows[i]) && !(body.length && ITEM.test(rows[i]))) body.push(rows[i++]);
        out.append(element("p", ...lines(body.join("\n"))));
      }
    }
    return out;
  }
  return { render };
})();
