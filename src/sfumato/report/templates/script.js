"use strict";
(() => {
  const zoom = document.getElementById("zoom");
  for (const frame of document.querySelectorAll("button.frame")) {
    frame.addEventListener("click", () => {
      const source = frame.querySelector("img");
      const target = zoom.querySelector("img");
      target.src = source.src;
      target.alt = source.alt;
      // A whole-number enlargement keeps every pixel square.
      const room = Math.min(innerWidth * 0.94 / source.naturalWidth, innerHeight * 0.82 / source.naturalHeight);
      target.style.width = `${source.naturalWidth * (room >= 1 ? Math.floor(room) : room)}px`;
      zoom.querySelector("p").textContent = frame.dataset.caption;
      zoom.showModal();
    });
  }
  zoom.addEventListener("click", (event) => {
    if (!event.target.closest("form")) zoom.close();
  });

  for (const number of document.querySelectorAll("button.measured")) {
    const card = document.getElementById(number.getAttribute("popovertarget"));
    if (!card.showPopover) continue;
    let pinned = false;
    const isOpen = () => card.matches(":popover-open");
    card.addEventListener("toggle", (event) => {
      if (event.newState !== "open") { pinned = false; return; }
      const at = number.getBoundingClientRect();
      const size = card.getBoundingClientRect();
      const left = Math.min(Math.max(8, at.left + at.width / 2 - size.width / 2), innerWidth - size.width - 8);
      const below = at.bottom + 8 + size.height < innerHeight;
      card.style.left = `${Math.max(8, left)}px`;
      card.style.top = `${below ? at.bottom + 8 : Math.max(8, at.top - size.height - 8)}px`;
    });
    number.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse" && !isOpen()) card.showPopover();
    });
    number.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && !pinned && isOpen()) card.hidePopover();
    });
    number.addEventListener("click", (event) => {
      // A click on a card that hovering has opened pins it instead of closing it.
      if (isOpen() && !pinned) { event.preventDefault(); pinned = true; }
    });
  }
  addEventListener("scroll", () => {
    for (const card of document.querySelectorAll(":popover-open")) card.hidePopover();
  }, { passive: true });

  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
      } catch {
        // Pages opened from disk may have no clipboard: select the text for a copy by hand.
        getSelection().selectAllChildren(source);
        button.textContent = "Selected";
        return;
      }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
  }

  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
