// The page's address says what it shows: a tab, a run, a seed. Links within the page change it without a reload.
window.sfumato = (() => {
  const write = (change) => {
    const facts = new URLSearchParams(location.search);
    change(facts);
    const text = facts.toString();
    history.replaceState(null, "", text ? `?${text}` : location.pathname);
  };
  let followed = 0;
  const find = () => document.querySelector("#sf-address textarea, #sf-address input");
  const follow = (search) => {
    const box = find();
    if (!box) return location.reload(); // the page is not whole yet
    box.value = `${search}#${++followed}`;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="?"]');
    if (!link || !find() || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    history.pushState(null, "", link.getAttribute("href"));
    follow(location.search);
    scrollTo({ top: 0 });
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
    opened: (tab) => write((facts) => facts.set("tab", tab)),
    remember: (key, value) => write((facts) => {
      if (value === null || value === "" || typeof value === "object") facts.delete(key);
      else facts.set(key, value);
    }),
  };
})();
