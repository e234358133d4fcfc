"use strict";
(() => {
  const zoom = document.getElementById("zoom");
  const room = zoom?.querySelector(".zoomed");
  const show = (content, caption) => {
    room.replaceChildren(content);
    zoom.querySelector("p").textContent = caption;
    if (!zoom.open) zoom.showModal();
  };
  // The pictures of a group, such as everybody's answers to one question, follow one another.
  const steps = zoom?.querySelector("span");
  let current = null;
  const enlarge = (frame) => {
    current = frame;
    const source = frame.querySelector("img");
    const target = source.cloneNode();
    // A whole-number enlargement keeps every pixel square.
    const times = Math.min(innerWidth * 0.94 / source.naturalWidth, innerHeight * 0.82 / source.naturalHeight);
    target.style.width = `${source.naturalWidth * (times >= 1 ? Math.floor(times) : times)}px`;
    target.removeAttribute("height");
    steps.hidden = !frame.dataset.group;
    show(target, frame.dataset.caption);
  };
  const go = (step) => {
    if (!zoom.open || steps.hidden) return;
    const group = [...document.querySelectorAll("button.frame")].filter((one) => one.dataset.group === current.dataset.group);
    enlarge(group[(group.indexOf(current) + step + group.length) % group.length]);
  };
  for (const frame of document.querySelectorAll("button.frame")) {
    frame.addEventListener("click", () => enlarge(frame));
  }
  for (const button of zoom?.querySelectorAll("button[data-step]") ?? []) {
    button.addEventListener("click", () => go(Number(button.dataset.step)));
  }
  zoom?.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) go(step);
  });
  for (const button of document.querySelectorAll("button.enlarge")) {
    button.addEventListener("click", () => {
      const source = button.querySelector("svg");
      const target = source.cloneNode(true);
      target.removeAttribute("id");
      const { width, height } = source.viewBox.baseVal;
      target.style.width = `${Math.min(innerWidth * 0.94, innerHeight * 0.8 * width / height)}px`;
      steps.hidden = true;
      show(target, button.dataset.caption);
    });
  }
  zoom?.addEventListener("click", (event) => {
    if (!event.target.closest("form")) zoom.close();
  });

  const moved = new Map();
  for (const number of document.querySelectorAll("button.measured")) {
    const card = document.getElementById(number.getAttribute("popovertarget"));
    if (!card.showPopover) continue;
    let pinned = false;
    const isOpen = () => card.matches(":popover-open");
    // Placed at once: wherever it first lay it could cover its own number, and the pointer would leave it.
    const open = () => {
      card.showPopover();
      const at = number.getBoundingClientRect();
      const size = card.getBoundingClientRect();
      const left = Math.min(at.left + at.width / 2 - size.width / 2, innerWidth - size.width - 8);
      const below = at.bottom + 8 + size.height < innerHeight;
      card.style.left = `${Math.max(8, left)}px`;
      card.style.top = `${below ? at.bottom + 8 : Math.max(8, at.top - size.height - 8)}px`;
      moved.set(card, () => Math.abs(number.getBoundingClientRect().top - at.top));
    };
    card.addEventListener("toggle", (event) => {
      if (event.newState !== "open") pinned = false;
    });
    number.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse" && !isOpen()) open();
    });
    number.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && !pinned && isOpen()) card.hidePopover();
    });
    number.addEventListener("click", (event) => {
      event.preventDefault();
      // A click on a card that hovering has opened pins it instead of closing it.
      if (isOpen() && pinned) {
        card.hidePopover();
        return;
      }
      if (!isOpen()) open();
      pinned = true;
    });
  }
  addEventListener("scroll", () => {
    // A card stays where it opened, so it goes once its number has moved away.
    for (const card of document.querySelectorAll(":popover-open")) {
      if (moved.get(card)?.() > 12) card.hidePopover();
    }
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

  for (const button of document.querySelectorAll("button.download")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      // The mark in front tells spreadsheets that the text is UTF-8.
      const file = new Blob(["\ufeff", button.dataset.csv], { type: "text/csv;charset=utf-8" });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = button.dataset.file;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }

  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
