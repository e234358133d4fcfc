// The page's address says what it shows: a tab, a run, a seed. Links within the page change it without a reload.
window.sfumato = (() => {
  let arrived = false; // until the page shows what its address says, it has nothing to say to the address
  const write = (change) => {
    if (!arrived) return;
    const facts = new URLSearchParams(location.search);
    change(facts);
    const text = facts.toString();
    history.replaceState(null, "", text ? `?${text}` : location.pathname);
  };
  const find = (id) => document.querySelector(`#${id} textarea, #${id} input`);
  let told = 0;
  const tell = (id, text) => {
    const box = find(id);
    if (!box) return location.reload(); // the page is not whole yet
    box.value = `${text}#${++told}`; // the same text again is news all the same
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const follow = (search) => tell("sf-address", search);
  // A click on a picture of many images opens one of them: where it was, as fractions of the picture.
  document.addEventListener("click", (event) => {
    const picture = event.target.closest("#sf-drawn")?.querySelector("img");
    if (!picture || event.target.closest(".icon-button-wrapper, a")) return;
    const place = picture.getBoundingClientRect();
    const x = (event.clientX - place.left) / place.width, y = (event.clientY - place.top) / place.height;
    if (Math.min(x, y) >= 0 && Math.max(x, y) < 1) tell("sf-clicked", `${x} ${y}`);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="?"]');
    if (!link || !find("sf-address") || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    history.pushState(null, "", link.getAttribute("href"));
    follow(location.search);
    scrollTo({ top: 0 });
  });
  // Gradio takes a slider as let go of when a pointer leaves it; the keyboard moves sliders too.
  document.addEventListener("keyup", (event) => {
    if (!event.target.matches("input[type=range]") || !/^(Arrow|Page|Home|End)/.test(event.key)) return;
    event.target.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
  });
  // Before and after: one handle moves them all, so that methods can be compared at the same place.
  document.addEventListener("input", (event) => {
    const grid = event.target.closest(".sf-slider input") && event.target.closest(".sf-restored");
    for (const handle of grid ? grid.querySelectorAll(".sf-slider input") : []) {
      handle.value = event.target.value;
      handle.parentNode.style.setProperty("--at", `${handle.value}%`);
    }
  });
  addEventListener("popstate", () => follow(location.search));
  document.addEventListener("click", (event) => {
    const language = event.target.closest("a.sf-language");
    if (!language) return;
    const facts = new URLSearchParams(location.search);
    facts.set("lang", language.hreflang);
    language.href = `/?${facts}`;
  }, true);
  return {
    arrived: () => { arrived = true; },
    here: () => arrived,
    // Where the keyboard goes on when what it stood on has gone
    attend: () => requestAnimationFrame(() => {
      const next = [...document.querySelectorAll(".sf-next")].find((one) => one.offsetParent);
      if (next && document.activeElement === document.body) next.focus({ preventScroll: true });
    }),
    // Gradio says so of the first tab too, sometimes after it has moved on: what is seen counts
    opened: () => requestAnimationFrame(() => {
      const seen = [...document.querySelectorAll("#sf-tabs [role=tabpanel]")].find((panel) => panel.offsetParent);
      if (seen) write((facts) => facts.set("tab", seen.id.slice("sf-".length)));
    }),
    // What can be chosen several times has two keys: `run` for one, `runs` for more
    remember: (key, some) => write((facts) => {
      const value = !Array.isArray(some) ? some : (key === "runs") === some.length > 1 ? some.join(",") : "";
      if (value === null || value === "" || typeof value === "object") facts.delete(key);
      else facts.set(key, value);
    }),
  };
})();
